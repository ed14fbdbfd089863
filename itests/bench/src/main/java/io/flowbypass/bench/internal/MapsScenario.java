// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import io.flowbypass.maps.BatchUpdate;
import io.flowbypass.maps.Blocks;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.Codec;
import io.flowbypass.maps.Cursor;
import io.flowbypass.maps.LostCursor;
import io.flowbypass.maps.MapService;
import io.flowbypass.maps.MapSpec;
import io.flowbypass.maps.MapType;
import io.flowbypass.maps.TypedMap;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * The map-access service against the same done in C ({@code maps.c}): reading, walking over, draining and filling a large
 * HASH. Whoever reads sums all keys and values, and every sum has to be right.
 */
@Component
public final class MapsScenario implements Scenario {
    private static final int ENTRIES = 1_000_000;
    private static final int QUICK_ENTRIES = 100_000;
    private static final int BLOCK = 4096;
    private static final String UNIT = "ns/entry";
    private static final double BATCH_LIMIT = 1.3;
    private static final double WALK_LIMIT = 1.5;
    // As in maps.c.
    private static final long SCATTER = 0x9e3779b97f4a7c15L;
    private static final int BYTES_PER_PACKET = 100;

    private final MapService maps;

    /** Uses the service. */
    @Activate
    public MapsScenario(@Reference MapService maps) {
        this.maps = maps;
    }

    /** {@code struct counts} of {@code maps.c}. */
    private record Counts(long packets, long bytes) {
        static final Codec<Counts> CODEC = new Codec<>() {
            @Override
            public int size() {
                return 2 * Long.BYTES;
            }

            @Override
            public Counts read(ByteBuffer from, int offset) {
                return new Counts(from.getLong(offset), from.getLong(offset + Long.BYTES));
            }

            @Override
            public void write(Counts counts, ByteBuffer to, int offset) {
                to.putLong(offset, counts.packets).putLong(offset + Long.BYTES, counts.bytes);
            }
        };
    }

    /** What a job took, and what it saw: how many entries, and the sum of their keys and values. */
    private record Tally(long nanoseconds, long entries, long sum) {
    }

    /** A job that a contestant does. */
    private interface Job {
        Tally run() throws IOException, InterruptedException;
    }

    @Override
    public String name() {
        return "maps";
    }

    @Override
    public void run(Run run) throws IOException, InterruptedException {
        int entries = run.size("entries", ENTRIES, QUICK_ENTRIES);
        int block = run.size("block", BLOCK, BLOCK);
        MapSpec spec = new MapSpec(MapType.HASH, "fb_bench", Long.BYTES, Counts.CODEC.size(), entries, 0);
        try (BpfMap map = maps.create(spec); Program c = run.program("maps", map.info().id(), entries, block)) {
            new Contest(map.typed(Codec.LONG, Counts.CODEC), c, entries).hold(run);
        }
    }

    /** Java and C, on one map. */
    private static final class Contest {
        private final TypedMap<Long, Counts> map;
        private final Program c;
        private final int entries;
        private final long sum;

        Contest(TypedMap<Long, Counts> map, Program c, int entries) {
            this.map = map;
            this.c = c;
            this.entries = entries;
            sum = LongStream.range(0, entries).map(i -> key(i) + value(i).packets + value(i).bytes).sum();
        }

        void hold(Run run) throws IOException, InterruptedException {
            fill();
            List<Figure> read = run.alternate(UNIT,
                    contestant("lookup batch, Java", () -> read(() -> map.lookupBatch(BLOCK))),
                    contestant("lookup batch, C", () -> inC("lookup")));
            run.compare("lookup batch", read.get(0), read.get(1), BATCH_LIMIT);
            List<Figure> walked = run.alternate(UNIT,
                    contestant("safe walk FAIL, Java", () -> walk(LostCursor.FAIL)),
                    contestant("safe walk RETRY_FROM_PREVIOUS, Java", () -> walk(LostCursor.RETRY_FROM_PREVIOUS)),
                    contestant("safe walk CONTINUE, Java", () -> walk(LostCursor.CONTINUE)),
                    contestant("walk, C", () -> inC("walk")));
            run.compare("safe walk FAIL", walked.get(0), walked.get(3), WALK_LIMIT);
            run.compare("safe walk RETRY_FROM_PREVIOUS", walked.get(1), walked.get(3), WALK_LIMIT);
            run.compare("safe walk CONTINUE", walked.get(2), walked.get(3), WALK_LIMIT);
            read(() -> map.drain(BLOCK));
            // Each drains what was filled in the turn before its own.
            List<Figure> changed = run.alternate(UNIT,
                    contestant("fill, Java", this::fill), contestant("drain, Java", () -> read(() -> map.drain(BLOCK))),
                    contestant("fill, C", () -> inC("fill")), contestant("drain, C", () -> inC("drain")));
            run.compare("drain", changed.get(1), changed.get(3), BATCH_LIMIT);
            run.compare("fill", changed.get(0), changed.get(2));
        }

        private Contestant contestant(String name, Job job) {
            return new Contestant(name, () -> {
                Tally tally = job.run();
                if (tally.entries != entries || tally.sum != sum) {
                    throw new IOException(String.format("%s is wrong: it saw %d entries with the sum %d where there are %d"
                            + " with the sum %d.", name, tally.entries, tally.sum, entries, sum));
                }
                return (double) tally.nanoseconds / entries;
            });
        }

        private Tally read(Supplier<Blocks<Long, Counts>> way) {
            long begun = System.nanoTime();
            long seen = 0;
            long total = 0;
            Blocks<Long, Counts> blocks = way.get();
            while (blocks.next()) {
                for (int i = 0; i < blocks.size(); i++) {
                    Counts value = blocks.value(i);
                    seen++;
                    total += blocks.key(i) + value.packets + value.bytes;
                }
            }
            return new Tally(System.nanoTime() - begun, seen, total);
        }

        private Tally walk(LostCursor choice) {
            long begun = System.nanoTime();
            long seen = 0;
            long total = 0;
            Cursor<Long, Counts> cursor = map.walk(choice);
            while (cursor.next()) {
                Counts value = cursor.value();
                seen++;
                total += cursor.key() + value.packets + value.bytes;
            }
            return new Tally(System.nanoTime() - begun, seen, total);
        }

        private Tally fill() {
            long begun = System.nanoTime();
            long total = 0;
            BatchUpdate<Long, Counts> update = map.updateBatch(BLOCK);
            try (update) {
                for (long i = 0; i < entries; i++) {
                    long key = key(i);
                    Counts value = value(i);
                    total += key + value.packets + value.bytes;
                    update.add(key, value);
                }
            }
            return new Tally(System.nanoTime() - begun, update.written(), total);
        }

        private Tally inC(String job) throws IOException, InterruptedException {
            long[] answer = Stream.of(c.ask(job).split(" ")).mapToLong(Long::parseUnsignedLong).toArray();
            return new Tally(answer[0], answer[1], answer[2]);
        }

        private static long key(long index) {
            return index * SCATTER;
        }

        private static Counts value(long index) {
            return new Counts(index, index * BYTES_PER_PACKET);
        }
    }
}
