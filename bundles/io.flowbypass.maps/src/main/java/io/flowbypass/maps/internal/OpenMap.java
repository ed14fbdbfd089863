// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.libbpf.MapDescription;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.Gate;
import io.flowbypass.maps.MapInfo;
import io.flowbypass.maps.MapSpec;
import io.flowbypass.maps.MapType;
import io.flowbypass.maps.Mapping;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;

/** A map that one bundle opened. */
final class OpenMap implements BpfMap {
    private final Descriptor descriptor;
    private final MapInfo info;
    private final SharedMaps shared;

    /** Takes ownership of the descriptor. */
    OpenMap(Descriptor descriptor, SharedMaps shared) {
        this.descriptor = descriptor;
        this.shared = shared;
        MapDescription map = Bpf.describeMap(descriptor.number());
        this.info = new MapInfo(map.id(), MapType.ofNumber(map.type()), map.name(), map.keySize(), map.valueSize(),
                map.maxEntries(), map.flags());
    }

    @Override
    public MapInfo info() {
        descriptor.number();
        return info;
    }

    @Override
    public int descriptor() {
        return descriptor.number();
    }

    @Override
    public Optional<byte[]> lookup(byte[] key) {
        if (info.type().isPerCpu()) {
            throw new IllegalArgumentException("the map " + info.name() + " has a value per CPU: use lookupPerCpu");
        }
        byte[] value = new byte[info.valueSize()];
        byte[] checked = key(key);
        return call(fd -> Bpf.lookup(fd, checked, value)) ? Optional.of(value) : Optional.empty();
    }

    @Override
    public List<byte[]> lookupPerCpu(byte[] key) {
        if (!info.type().isPerCpu()) {
            throw new IllegalArgumentException("the map " + info.name() + " has one value for all CPUs: use lookup");
        }
        byte[] padded = new byte[stride() * Bpf.possibleCpus()];
        byte[] checked = key(key);
        if (!call(fd -> Bpf.lookup(fd, checked, padded))) {
            return List.of();
        }
        List<byte[]> values = new ArrayList<>();
        for (int from = 0; from < padded.length; from += stride()) {
            values.add(Arrays.copyOfRange(padded, from, from + info.valueSize()));
        }
        return values;
    }

    @Override
    public void update(byte[] key, byte[] value) {
        byte[] checked = key(key);
        byte[] whole = size("value", value, info.valueSize());
        if (info.type().isPerCpu()) {
            whole = new byte[stride() * Bpf.possibleCpus()];
            for (int at = 0; at < whole.length; at += stride()) {
                System.arraycopy(value, 0, whole, at, value.length);
            }
        }
        byte[] written = whole;
        run(fd -> Bpf.update(fd, checked, written));
    }

    @Override
    public boolean delete(byte[] key) {
        byte[] checked = key(key);
        return call(fd -> Bpf.delete(fd, checked));
    }

    @Override
    public void pin(Path path) {
        run(fd -> Bpf.pin(fd, path));
    }

    @Override
    public Mapping map(Gate gate) {
        if (!(gate instanceof ReaderGate readerGate)) {
            throw new IllegalArgumentException("a mapping needs a gate that MapService.newGate() made");
        }
        if (info.type() != MapType.ARRAY || (info.flags() & MapSpec.MMAPABLE) == 0) {
            throw new IllegalArgumentException("the map " + info.name()
                    + " cannot be mapped into memory: only an ARRAY made with BPF_F_MMAPABLE can");
        }
        long length = (long) stride() * info.capacity();
        return readerGate.guard(call(fd -> Bpf.map(fd, length)));
    }

    @Override
    public void close() {
        shared.forget(this);
        descriptor.close();
    }

    /** For lists and messages, also after it was closed. */
    MapInfo description() {
        return info;
    }

    private <T> T call(IntFunction<T> call) {
        return shared.calls().count(() -> descriptor.call(call));
    }

    private void run(IntConsumer call) {
        shared.calls().countRun(() -> descriptor.run(call));
    }

    /** The kernel wants no key at all where the map has none, as a QUEUE. */
    private byte[] key(byte[] key) {
        return size("key", key, info.keySize()).length == 0 ? null : key;
    }

    private byte[] size(String what, byte[] bytes, int size) {
        if (bytes.length != size) {
            throw new IllegalArgumentException(
                    "a " + what + " of the map " + info.name() + " has " + size + " bytes, not " + bytes.length);
        }
        return bytes;
    }

    /** Bytes from one value to the next, where the kernel keeps several in a row. */
    private int stride() {
        return (info.valueSize() + 7) / 8 * 8;
    }
}
