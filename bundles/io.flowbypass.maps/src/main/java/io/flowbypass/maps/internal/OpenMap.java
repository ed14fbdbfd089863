// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.BpfException;
import io.flowbypass.libbpf.MapDescription;
import io.flowbypass.libbpf.MappedMemory;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.Codec;
import io.flowbypass.maps.ElementQueue;
import io.flowbypass.maps.Gate;
import io.flowbypass.maps.InnerMaps;
import io.flowbypass.maps.MapInfo;
import io.flowbypass.maps.MapOperation;
import io.flowbypass.maps.MapSpec;
import io.flowbypass.maps.MapType;
import io.flowbypass.maps.Mapping;
import io.flowbypass.maps.PerCpu;
import io.flowbypass.maps.RingBuffer;
import io.flowbypass.maps.TypedMap;
import io.flowbypass.maps.UnsupportedFeatureException;
import java.lang.ref.Cleaner.Cleanable;
import java.nio.file.Path;

/** A map that one bundle opened. Its views refer to its calls, so it is forgotten only together with them. */
final class OpenMap implements BpfMap {
    private final MapHandle handle;
    private final MapInfo info;
    private final MapCalls calls;
    private final SharedMaps shared;
    private final Cleanable watch;

    OpenMap(MapHandle handle, SharedMaps shared, MapCalls calls) {
        this.handle = handle;
        this.info = handle.info();
        this.shared = shared;
        this.calls = calls;
        this.watch = shared.watch(calls, handle);
    }

    static MapInfo info(MapDescription map) {
        return new MapInfo(map.id(), MapType.ofNumber(map.type()), map.name(), map.keySize(), map.valueSize(),
                Integer.toUnsignedLong(map.maxEntries()), map.flags(), map.keyType(), map.valueType());
    }

    @Override
    public MapInfo info() {
        return info;
    }

    @Override
    public int descriptor() {
        return calls.descriptor();
    }

    @Override
    public <K, V> TypedMap<K, V> typed(Codec<K> key, Codec<V> value) {
        if (info.type().isPerCpu()) {
            throw cannot("be used as one value under a key: it has one for each CPU; use perCpu");
        }
        requireEntries();
        return entries(key, sized("values", value, info.valueSize()), info.valueSize());
    }

    @Override
    public <K, V> TypedMap<K, PerCpu<V>> perCpu(Codec<K> key, Codec<V> value) {
        if (!info.type().isPerCpu()) {
            throw cannot("have a value for each CPU; use typed");
        }
        PerCpuCodec<V> values = new PerCpuCodec<>(sized("values", value, info.valueSize()), Bpf.possibleCpus());
        return entries(key, values, values.size());
    }

    private <K, V> TypedMap<K, V> entries(Codec<K> key, Codec<V> value, int valueSize) {
        return new KeyedMap<>(this,
                new EntryForm<>(sized("keys", key, info.keySize()), info.keySize(), value, valueSize, 0));
    }

    @Override
    public <V> ElementQueue<V> queue(Codec<V> value) {
        if (info.type() != MapType.QUEUE && info.type() != MapType.STACK) {
            throw cannot("push and pop elements; a QUEUE or a STACK can");
        }
        return new Elements<>(this, sized("values", value, info.valueSize()));
    }

    @Override
    public RingBuffer ringBuffer() {
        if (info.type() != MapType.RINGBUF) {
            throw cannot("be read as a ring buffer; a RINGBUF can");
        }
        if (info.capacity() > RingReader.MOST_BYTES) {
            throw cannot("be read: it has " + info.capacity() + " bytes, and " + RingReader.MOST_BYTES + " are the most");
        }
        RingReader reader = new RingReader(this);
        try {
            handle.closeAlso(reader.gate());
            return reader;
        } catch (IllegalStateException closed) {
            reader.close();
            throw closed;
        }
    }

    @Override
    public InnerMaps innerMaps() {
        if (info.type() != MapType.ARRAY_OF_MAPS) {
            throw cannot("hold maps; an ARRAY_OF_MAPS can");
        }
        return new MapsInside(this);
    }

    private void requireEntries() {
        switch (info.type()) {
            case QUEUE, STACK -> throw cannot("be read by a key: it has none; use queue");
            case RINGBUF -> throw cannot("be read by a key: it has none; use ringBuffer");
            case ARRAY_OF_MAPS -> throw cannot("be read as values: it holds maps; use innerMaps");
            case UNKNOWN -> throw cannot("be used: this version knows no maps of its type");
            default -> { }
        }
    }

    private <T> Codec<T> sized(String what, Codec<T> codec, int size) {
        if (codec.size() != size) {
            throw new IllegalArgumentException("the " + what + " of the " + info.type() + " " + info.name() + " have " + size
                    + " bytes, but the codec that was given has " + codec.size());
        }
        return codec;
    }

    /** Refuses where entries are there for good. */
    void requireDelete() {
        if (!TypeRules.canDelete(info.type())) {
            throw cannot("delete an entry: all " + info.capacity() + " are there for good; update it instead");
        }
    }

    /** For what maps of this type cannot do. */
    UnsupportedOperationException cannot(String what) {
        return new UnsupportedOperationException("the " + info.type() + " " + info.name() + " cannot " + what);
    }

    @Override
    public void freeze() {
        int map = calls.begin(MapOperation.FREEZE);
        try {
            Bpf.freeze(map);
        } catch (BpfException refused) {
            RuntimeException failed = calls.failed(MapOperation.FREEZE, map, refused, 0);
            throw refused.is("EINVAL") ? new UnsupportedFeatureException("freezing of maps", "5.2") : failed;
        } finally {
            calls.end();
        }
    }

    @Override
    public void pin(Path path) {
        int map = calls.begin(MapOperation.PIN);
        try {
            Bpf.pin(map, path);
        } catch (BpfException refused) {
            shared.calls().failed(MapOperation.PIN);
            throw Pins.explained(refused, path);
        } finally {
            calls.end();
        }
    }

    @Override
    public Mapping map(Gate gate) {
        if (!(gate instanceof ReaderGate readerGate)) {
            throw new IllegalArgumentException("a mapping needs a gate that MapService.newGate() made");
        }
        if (info.type() != MapType.ARRAY || (info.flags() & MapSpec.MMAPABLE) == 0) {
            throw cannot("be mapped into memory; an ARRAY made with BPF_F_MMAPABLE can");
        }
        return readerGate.guard(mmap(0, PerCpuCodec.stride(info.valueSize()) * info.capacity(), true));
    }

    /** Memory that the kernel shows of this map. */
    MappedMemory mmap(long offset, long length, boolean writable) {
        int map = calls.begin(MapOperation.MMAP);
        try {
            return Bpf.map(map, offset, length, writable);
        } catch (BpfException refused) {
            throw calls.failed(MapOperation.MMAP, map, refused, 0);
        } finally {
            calls.end();
        }
    }

    @Override
    public void close() {
        handle.close();
        watch.clean();
    }

    MapCalls calls() {
        return calls;
    }

    KernelFeatures features() {
        return shared.features();
    }

    BundleMaps owner() {
        return handle.owner();
    }
}
