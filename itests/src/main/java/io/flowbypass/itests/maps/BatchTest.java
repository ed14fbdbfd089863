// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.maps;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.itests.lab.Crowd;
import io.flowbypass.itests.lab.Root;
import io.flowbypass.itests.lab.Services;
import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.BpfException;
import io.flowbypass.libbpf.NativeBuffer;
import io.flowbypass.maps.BatchDelete;
import io.flowbypass.maps.BatchUpdate;
import io.flowbypass.maps.Blocks;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.Codec;
import io.flowbypass.maps.Condition;
import io.flowbypass.maps.MapFullException;
import io.flowbypass.maps.MapOperation;
import io.flowbypass.maps.MapService;
import io.flowbypass.maps.MapSpec;
import io.flowbypass.maps.MapType;
import io.flowbypass.maps.PerCpu;
import io.flowbypass.maps.TypedMap;
import io.flowbypass.maps.Way;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongFunction;
import java.util.function.ToLongFunction;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the kernel's own test of batches checks (map_tests/htab_map_batch_ops.c), and what it does not. */
class BatchTest {
    private static final int KEYS = 300;

    private final MapService maps = Services.waitFor(MapService.class);

    @BeforeEach
    void needsRoot() {
        Root.required();
    }

    @Test
    void anEmptyMapHasNoBlock() {
        try (BpfMap map = hash(MapType.HASH)) {
            TypedMap<Integer, Long> entries = longs(map);
            for (Blocks<Integer, Long> blocks : List.of(entries.lookupBatch(7), entries.drain(7))) {
                assertThat(blocks.next()).isFalse();
                assertThat(blocks.size()).isZero();
                assertThat(blocks.next()).isFalse();
                assertThatThrownBy(() -> blocks.key(0)).isInstanceOf(IndexOutOfBoundsException.class);
            }
            entries.updateBatch(7).close();
            entries.deleteBatch(7).close();
            assertThat(entries.lookupBatch(1).next()).isFalse();
        }
    }

    @Test
    void aBlockOfNoEntriesIsNothingToTheKernelAndRefusedHere() {
        try (BpfMap map = hash(MapType.HASH)) {
            fill(longs(map), each -> each);
            NativeBuffer count = NativeBuffer.allocate(Integer.BYTES);
            NativeBuffer room = NativeBuffer.allocate(64);
            assertThat(Bpf.lookupBatch(map.descriptor(), false, NativeBuffer.allocate(8), room, room, count, 0)).isTrue();
            assertThat(count.bytes().getInt(0)).isZero();
            assertThatThrownBy(() -> longs(map).lookupBatch(0)).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("it has at least one");
        }
    }

    @Test
    void everyStepSizeReadsEachEntryOnce() {
        for (MapType type : new MapType[] {MapType.HASH, MapType.LRU_HASH}) {
            try (BpfMap map = hash(type)) {
                readsAndDrainsInEveryStep(longs(map), each -> each, each -> each);
            }
        }
        try (BpfMap map = maps.create(new MapSpec(MapType.ARRAY, "fb_batch", 4, 8, KEYS, 0))) {
            fill(longs(map), each -> each);
            readsInEveryStep(longs(map), each -> each);
        }
    }

    @Test
    void everyStepSizeReadsEachEntryOfAPerCpuMapOnceWithAllItsValues() {
        for (MapType type : new MapType[] {MapType.PERCPU_HASH, MapType.LRU_PERCPU_HASH}) {
            try (BpfMap map = hash(type)) {
                readsAndDrainsInEveryStep(map.perCpu(Codec.INT, Codec.LONG), this::onEachCpu, this::ofEachCpu);
            }
        }
        try (BpfMap map = maps.create(new MapSpec(MapType.PERCPU_ARRAY, "fb_batch", 4, 8, KEYS, 0))) {
            TypedMap<Integer, PerCpu<Long>> entries = map.perCpu(Codec.INT, Codec.LONG);
            fill(entries, this::onEachCpu);
            readsInEveryStep(entries, this::ofEachCpu);
        }
    }

    /** CPU n has n times the value. */
    private PerCpu<Long> onEachCpu(long value) {
        return new PerCpu<>(LongStream.range(0, maps.possibleCpus()).mapToObj(cpu -> cpu * value).toList());
    }

    private long ofEachCpu(PerCpu<Long> values) {
        assertThat(values.max(each -> each)).isEqualTo(values.values().get(maps.possibleCpus() - 1));
        long cpus = maps.possibleCpus();
        assertThat(values.reduce(Long::sum)).isEqualTo(values.sum(each -> each));
        return cpus == 1 ? 0 : values.sum(each -> each) / (cpus * (cpus - 1) / 2);
    }

    @Test
    void aBucketThatIsLargerThanTheBlockMakesItGrow() {
        try (BpfMap map = hash(MapType.HASH)) {
            fill(longs(map), each -> each);
            NativeBuffer cursor = NativeBuffer.allocate(8);
            NativeBuffer count = NativeBuffer.allocate(Integer.BYTES);
            boolean refused = false;
            boolean more = true;
            for (int step = 0; more && !refused; step++) {
                count.bytes().putInt(0, 1);
                try {
                    more = Bpf.lookupBatch(map.descriptor(), step > 0, cursor, NativeBuffer.allocate(4),
                            NativeBuffer.allocate(8), count, 0);
                } catch (BpfException full) {
                    assertThat(full.error()).isEqualTo("ENOSPC");
                    refused = true;
                }
            }
            assertThat(refused).as("300 keys meet in some bucket").isTrue();
            assertThat(read(longs(map).lookupBatch(1), each -> each)).hasSize(KEYS);
        }
    }

    @Test
    void aBlockOfDeletionsPassesOverKeysThatAreNotThere() {
        try (BpfMap map = hash(MapType.HASH)) {
            TypedMap<Integer, Long> entries = longs(map);
            fill(entries, each -> each);
            BatchDelete<Integer> delete = entries.deleteBatch(64);
            for (int key = -KEYS; key < 2 * KEYS; key += 2) {
                delete.add(key);
            }
            delete.close();
            assertThat(delete.deleted()).isEqualTo(KEYS / 2);
            assertThat(delete.way()).isEqualTo(Way.BATCH);
            assertThat(read(entries.lookupBatch(64), each -> each).keySet()).hasSize(KEYS / 2)
                    .allMatch(key -> key % 2 == 1);
        }
    }

    @Test
    void whatAFullMapRefusedStaysInTheBlockUntilThereIsRoom() {
        try (BpfMap map = maps.create(new MapSpec(MapType.HASH, "fb_small", 4, 8, 10, 0))) {
            TypedMap<Integer, Long> entries = longs(map);
            BatchUpdate<Integer, Long> update = entries.updateBatch(8);
            assertThatThrownBy(() -> {
                for (int key = 0; key < 16; key++) {
                    update.add(key, (long) key);
                }
            }).isInstanceOf(MapFullException.class).hasMessageContaining("fb_small is full: all of its 10 entries");
            assertThat(update.written()).isEqualTo(10);
            assertThatThrownBy(update::flush).isInstanceOf(MapFullException.class);
            assertThatThrownBy(() -> update.add(16, 16L)).isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("full of entries that the kernel refused");
            entries.removeIf((key, value) -> key < 6);
            update.close();
            assertThat(update.written()).isEqualTo(16);
            assertThat(read(entries.lookupBatch(8), each -> each).keySet()).containsExactly(6, 7, 8, 9, 10, 11, 12, 13, 14,
                    15);
        }
    }

    @Test
    void anEntryThatIsRefusedForGoodCanBePassedOver() {
        try (BpfMap map = maps.create(new MapSpec(MapType.LPM_TRIE, "fb_trie", 8, 4, 10, MapSpec.NO_PREALLOC))) {
            TypedMap<byte[], Integer> prefixes = map.typed(Codec.bytes(8), Codec.INT);
            BatchUpdate<byte[], Integer> update = prefixes.updateBatch(10);
            for (int bits : new int[] {8, 33, 16}) {
                update.add(FullMapTest.prefix(bits, 10), bits);
            }
            assertThatThrownBy(update::flush).hasMessageContaining("at most 32 bits");
            assertThatThrownBy(update::flush).hasMessageContaining("at most 32 bits");
            update.skip();
            update.skip();
            update.close();
            assertThat(update.written()).isEqualTo(2);
            assertThat(prefixes.lookup(FullMapTest.prefix(16, 10))).contains(16);
        }
    }

    @Test
    void largeValuesMakeSmallBlocks() {
        try (BpfMap map = maps.create(new MapSpec(MapType.HASH, "fb_large", 4, 1 << 20, 40, 0))) {
            TypedMap<Integer, byte[]> entries = map.typed(Codec.INT, Codec.bytes(1 << 20));
            try (BatchUpdate<Integer, byte[]> update = entries.updateBatch(4096)) {
                for (int key = 0; key < 40; key++) {
                    update.add(key, new byte[1 << 20]);
                }
            }
            Blocks<Integer, byte[]> blocks = entries.lookupBatch(4096);
            int read = 0;
            while (blocks.next()) {
                assertThat(blocks.size()).isBetween(1, 15);
                read += blocks.size();
            }
            assertThat(read).isEqualTo(40);
            assertThat(entries.removeIf((key, value) -> key % 2 == 0)).isEqualTo(20);
        }
    }

    @Test
    void aDrainDuringInsertionsGivesEveryEntryExactlyOnce() {
        int threads = 3;
        int perThread = 60_000;
        byte[] times = new byte[threads * perThread];
        try (BpfMap map = maps.create(new MapSpec(MapType.HASH, "fb_drain", 4, 8, 4096, 0))) {
            TypedMap<Integer, Long> entries = longs(map);
            AtomicInteger inserted = new AtomicInteger();
            try (Crowd inserting = new Crowd()) {
                for (int thread = 0; thread < threads; thread++) {
                    AtomicInteger next = new AtomicInteger(thread * perThread);
                    int end = (thread + 1) * perThread;
                    inserting.add(() -> inserted.addAndGet(insert(entries, next, end)));
                }
                boolean last = false;
                while (!last) {
                    inserting.check();
                    last = inserted.get() == times.length;
                    Blocks<Integer, Long> blocks = entries.drain(64);
                    while (blocks.next()) {
                        for (int i = 0; i < blocks.size(); i++) {
                            assertThat(blocks.value(i)).isEqualTo(3L * blocks.key(i));
                            times[blocks.key(i)]++;
                        }
                    }
                }
            }
            assertThat(times).as("how often each entry was given").containsOnly(1);
            assertThat(entries.lookupBatch(1).next()).as("anything left").isFalse();
        }
    }

    /** Adds the next key where there is room; returns how many it added. */
    private static int insert(TypedMap<Integer, Long> entries, AtomicInteger next, int end) {
        int key = next.get();
        if (key == end) {
            Thread.onSpinWait();
            return 0;
        }
        try {
            entries.update(key, 3L * key, Condition.NOEXIST);
            next.set(key + 1);
            return 1;
        } catch (MapFullException drainIsBehind) {
            return 0;
        }
    }

    /**
     * A writer numbers its updates. Where one finds its key gone, the number before must have been in a block; were entries
     * read and deleted in two steps, what was written in between would not be.
     */
    @Test
    void aDrainLosesNoUpdate() {
        BitSet[] due = {new BitSet(), new BitSet()};
        BitSet[] given = {new BitSet(), new BitSet()};
        AtomicInteger foundGone = new AtomicInteger();
        // Room to spare: a drain gives an entry's memory back only after the key is gone (Linux 6.13).
        try (BpfMap map = maps.create(new MapSpec(MapType.HASH, "fb_drain", 4, 8, 8 * due.length, 0))) {
            TypedMap<Integer, Long> entries = longs(map);
            try (Crowd updating = new Crowd()) {
                for (int key = 0; key < due.length; key++) {
                    BitSet mustBeGiven = due[key];
                    int mine = key;
                    AtomicInteger last = new AtomicInteger(-1);
                    updating.add(() -> {
                        long number = last.incrementAndGet();
                        if (!entries.update(mine, number, Condition.EXIST)) {
                            if (number > 0) {
                                mustBeGiven.set((int) number - 1);
                                foundGone.incrementAndGet();
                            }
                            assertThat(entries.update(mine, number, Condition.NOEXIST)).isTrue();
                        }
                    });
                }
                while (foundGone.get() < 5000) {
                    updating.check();
                    drain(entries, given);
                }
            }
            drain(entries, given);
        }
        for (int key = 0; key < due.length; key++) {
            due[key].andNot(given[key]);
            assertThat(due[key].stream()).as("lost numbers").isEmpty();
        }
    }

    private static void drain(TypedMap<Integer, Long> entries, BitSet[] given) {
        Blocks<Integer, Long> blocks = entries.drain(given.length);
        while (blocks.next()) {
            for (int i = 0; i < blocks.size(); i++) {
                given[blocks.key(i)].set(blocks.value(i).intValue());
            }
        }
    }

    @Test
    void aBatchIsOneSystemCallForManyEntries() {
        try (BpfMap map = hash(MapType.HASH)) {
            TypedMap<Integer, Long> entries = longs(map);
            long before = calls(MapOperation.UPDATE_BATCH) + calls(MapOperation.UPDATE);
            fill(entries, each -> each);
            assertThat(calls(MapOperation.UPDATE_BATCH) + calls(MapOperation.UPDATE) - before).isEqualTo(KEYS / 100);
        }
    }

    private long calls(MapOperation operation) {
        return maps.calls().get(operation).calls();
    }

    private <V> void readsAndDrainsInEveryStep(TypedMap<Integer, V> entries, LongFunction<V> value, ToLongFunction<V> back) {
        fill(entries, value);
        readsInEveryStep(entries, back);
        for (int step = 1; step <= KEYS + 1; step += 1 + step / 8) {
            fill(entries, value);
            isWhole(read(entries.drain(step), back), step);
            assertThat(entries.lookupBatch(step).next()).as("anything left after a drain in steps of %s", step).isFalse();
        }
    }

    private <V> void readsInEveryStep(TypedMap<Integer, V> entries, ToLongFunction<V> back) {
        for (int step = 1; step <= KEYS + 1; step++) {
            isWhole(read(entries.lookupBatch(step), back), step);
        }
    }

    private void isWhole(Map<Integer, Long> read, int step) {
        assertThat(read).as("in steps of %s", step).hasSize(KEYS);
        read.forEach((key, value) -> assertThat(value).as("the value of %s in steps of %s", key, step)
                .isEqualTo(value == 0 && maps.possibleCpus() == 1 ? 0 : 7L * key));
    }

    private <V> Map<Integer, Long> read(Blocks<Integer, V> blocks, ToLongFunction<V> back) {
        assertThat(blocks.way()).isEqualTo(Way.BATCH);
        Map<Integer, Long> read = new TreeMap<>();
        while (blocks.next()) {
            assertThat(blocks.size()).isPositive();
            assertThat(blocks.keys().remaining()).isEqualTo(blocks.size() * Integer.BYTES);
            for (int i = 0; i < blocks.size(); i++) {
                assertThat(blocks.keys().getInt(i * Integer.BYTES)).isEqualTo(blocks.key(i));
                assertThat(read.put(blocks.key(i), back.applyAsLong(blocks.value(i)))).as("seen before").isNull();
            }
        }
        return read;
    }

    /** Keys 0 to 299, each with seven times itself. */
    private static <V> void fill(TypedMap<Integer, V> entries, LongFunction<V> value) {
        BatchUpdate<Integer, V> update = entries.updateBatch(100);
        for (int key = 0; key < KEYS; key++) {
            update.add(key, value.apply(7L * key));
        }
        update.close();
        assertThat(update.written()).isEqualTo(KEYS);
        assertThat(update.way()).isEqualTo(Way.BATCH);
    }

    /** An LRU map may evict before it is full: those have room for four times as many. */
    private BpfMap hash(MapType type) {
        boolean evicts = type == MapType.LRU_HASH || type == MapType.LRU_PERCPU_HASH;
        return maps.create(new MapSpec(type, "fb_batch", 4, 8, evicts ? 4 * KEYS : KEYS, 0));
    }

    private static TypedMap<Integer, Long> longs(BpfMap map) {
        return map.typed(Codec.INT, Codec.LONG);
    }
}
