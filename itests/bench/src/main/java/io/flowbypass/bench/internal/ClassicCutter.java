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
import java.util.function.ToLongFunction;

/**
 * {@code classic.bpf.c}, in one of its three designs. Its maps have one key for each flow, that of the direction which
 * packets are sent in: tools of this design put both in, so what is measured here has half of their keys.
 */
public final class ClassicCutter implements Cutter, AutoCloseable {
    private static final int BLOCK = 4096;

    private final BpfObject object;
    private final Design design;
    private final int cpus;
    private final Map<Family, BpfMap> maps = new EnumMap<>(Family.class);

    private ClassicCutter(BpfObject object, Design design, int cpus) {
        this.object = object;
        this.design = design;
        this.cpus = cpus;
    }

    /** How the counters of a flow are kept apart from those of other CPUs. */
    enum Design {
        PER_CPU("classic", "classic", 3 * Long.BYTES),
        SHARED("classic_shared", "shared", 3 * Long.BYTES),
        LOCK("classic_lock", "spin lock", 4 * Long.BYTES);

        private final String object;
        private final String title;
        private final Codec<Counters> codec;

        Design(String object, String title, int size) {
            this.object = object;
            this.title = title;
            codec = Counters.codec(size);
        }
    }

    /** {@code struct counters} of {@code classic.bpf.c}. */
    public record Counters(long time, long packets, long bytes) {
        static final Counters ZERO = new Counters(0, 0, 0);

        /** Behind these three may come a lock, which nobody holds while it is read or written here. */
        private static Codec<Counters> codec(int size) {
            return new Codec<>() {
                @Override
                public int size() {
                    return size;
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
    }

    /** Loads it, with room for so many keys of each family. */
    static ClassicCutter load(Run run, MapService maps, Design design, int keys) throws IOException {
        return load(run.object(design.object), design, maps, keys);
    }

    /** Loads it as {@code interrupted_classic.bpf.c} has it. */
    public static ClassicCutter loadInterrupted(Run run, MapService maps, int keys) throws IOException {
        return load(run.object("interrupted_classic"), Design.PER_CPU, maps, keys);
    }

    private static ClassicCutter load(BpfObject object, Design design, MapService maps, int keys) {
        ClassicCutter classic = new ClassicCutter(object, design, maps.possibleCpus());
        try {
            classic.load(maps, keys);
            return classic;
        } catch (RuntimeException refused) {
            classic.close();
            throw refused;
        }
    }

    private void load(MapService service, int keys) {
        for (Family family : Family.values()) {
            object.resize(mapName(family), keys);
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
        return design.title;
    }

    /** The map of a family's flows. */
    BpfMap map(Family family) {
        return maps.get(family);
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
        if (design == Design.PER_CPU) {
            add(entries(family), PerCpu.same(Counters.ZERO, cpus), family, first, count);
        } else {
            add(sharedEntries(family), Counters.ZERO, family, first, count);
        }
    }

    private static <V> void add(TypedMap<byte[], V> entries, V zero, Family family, int first, int count) {
        try (BatchUpdate<byte[], V> update = entries.updateBatch(BLOCK)) {
            for (int i = 0; i < count; i++) {
                update.add(family.classicKey(first + i), zero);
            }
        }
    }

    @Override
    public long cut(Family family) {
        return design == Design.PER_CPU ? sum(entries(family), counters -> counters.sum(Counters::packets))
                : sum(sharedEntries(family), Counters::packets);
    }

    private static <V> long sum(TypedMap<byte[], V> entries, ToLongFunction<V> packets) {
        long sum = 0;
        Blocks<byte[], V> blocks = entries.lookupBatch(BLOCK);
        while (blocks.next()) {
            for (int i = 0; i < blocks.size(); i++) {
                sum += packets.applyAsLong(blocks.value(i));
            }
        }
        return sum;
    }

    private TypedMap<byte[], PerCpu<Counters>> entries(Family family) {
        return maps.get(family).perCpu(Codec.bytes(family.classicKeyLength()), design.codec);
    }

    private TypedMap<byte[], Counters> sharedEntries(Family family) {
        return maps.get(family).typed(Codec.bytes(family.classicKeyLength()), design.codec);
    }

    @Override
    public void close() {
        maps.values().forEach(BpfMap::close);
        object.close();
    }
}
