// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.BpfObject;
import io.flowbypass.maps.BatchUpdate;
import io.flowbypass.maps.Blocks;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.Codec;
import io.flowbypass.maps.MapService;
import io.flowbypass.maps.PerCpu;
import io.flowbypass.maps.TypedMap;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.EnumMap;
import java.util.Map;

/**
 * {@code classic.bpf.c}. Its maps have one key for each flow, that of the direction which packets are sent in: tools of this
 * design put both in, so what is measured here has half of their keys.
 */
public final class ClassicCutter implements Cutter, AutoCloseable {
    private static final int BLOCK = 4096;

    private final BpfObject object;
    private final int cpus;
    private final Map<Family, BpfMap> maps = new EnumMap<>(Family.class);

    private ClassicCutter(BpfObject object, int cpus) {
        this.object = object;
        this.cpus = cpus;
    }

    /** {@code struct counters} of {@code classic.bpf.c}. */
    public record Counters(long time, long packets, long bytes) {
        static final Counters ZERO = new Counters(0, 0, 0);
        static final Codec<Counters> CODEC = new Codec<>() {
            @Override
            public int size() {
                return 3 * Long.BYTES;
            }

            @Override
            public Counters read(ByteBuffer from, int offset) {
                return new Counters(from.getLong(offset), from.getLong(offset + Long.BYTES),
                        from.getLong(offset + 2 * Long.BYTES));
            }

            @Override
            public void write(Counters counters, ByteBuffer to, int offset) {
                to.putLong(offset, counters.time).putLong(offset + Long.BYTES, counters.packets)
                        .putLong(offset + 2 * Long.BYTES, counters.bytes);
            }
        };
    }

    /** Loads it, with room for so many flows of each family. */
    static ClassicCutter load(Run run, MapService maps, int flows) throws IOException {
        return load(run.object("classic"), maps, flows);
    }

    /** Loads it as {@code interrupted_classic.bpf.c} has it. */
    public static ClassicCutter loadInterrupted(Run run, MapService maps, int flows) throws IOException {
        return load(run.object("interrupted_classic"), maps, flows);
    }

    private static ClassicCutter load(BpfObject object, MapService maps, int flows) {
        ClassicCutter classic = new ClassicCutter(object, maps.possibleCpus());
        try {
            classic.load(maps, flows);
            return classic;
        } catch (RuntimeException refused) {
            classic.close();
            throw refused;
        }
    }

    private void load(MapService service, int flows) {
        for (Family family : Family.values()) {
            object.resize(mapName(family), flows);
        }
        object.load();
        for (Family family : Family.values()) {
            maps.put(family, service.open(Bpf.describeMap(object.mapDescriptor(mapName(family))).id()));
        }
    }

    private static String mapName(Family family) {
        return family == Family.IPV4 ? "flows_v4" : "flows_v6";
    }

    @Override
    public String title() {
        return "classic";
    }

    /** Puts a key in, with counters of zero. */
    public void put(Family family, byte[] key) {
        entries(family).update(key, PerCpu.same(Counters.ZERO, cpus));
    }

    /** Reads the counters of a key that is there, and deletes it, in one system call or in two. */
    public Counters takeOut(Family family, byte[] key, boolean atOnce) {
        TypedMap<byte[], PerCpu<Counters>> entries = entries(family);
        PerCpu<Counters> counters = (atOnce ? entries.lookupAndDelete(key) : entries.lookup(key)).orElseThrow();
        if (!atOnce) {
            entries.delete(key);
        }
        return new Counters(0, counters.sum(Counters::packets), counters.sum(Counters::bytes));
    }

    @Override
    public int program() {
        return object.programDescriptor("classic");
    }

    @Override
    public void add(Family family, int first, int count) {
        PerCpu<Counters> zero = PerCpu.same(Counters.ZERO, cpus);
        try (BatchUpdate<byte[], PerCpu<Counters>> update = entries(family).updateBatch(BLOCK)) {
            for (int i = 0; i < count; i++) {
                update.add(family.classicKey(first + i), zero);
            }
        }
    }

    @Override
    public long cut(Family family) {
        long packets = 0;
        Blocks<byte[], PerCpu<Counters>> blocks = entries(family).lookupBatch(BLOCK);
        while (blocks.next()) {
            for (int i = 0; i < blocks.size(); i++) {
                packets += blocks.value(i).sum(Counters::packets);
            }
        }
        return packets;
    }

    private TypedMap<byte[], PerCpu<Counters>> entries(Family family) {
        return maps.get(family).perCpu(Codec.bytes(family.classicKeyLength()), Counters.CODEC);
    }

    @Override
    public void close() {
        maps.values().forEach(BpfMap::close);
        object.close();
    }
}
