// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.maps;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.itests.lab.Crowd;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Root;
import io.flowbypass.itests.lab.Services;
import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.BpfException;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.maps.BatchUpdate;
import io.flowbypass.maps.Blocks;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.Codec;
import io.flowbypass.maps.Condition;
import io.flowbypass.maps.Cursor;
import io.flowbypass.maps.ElementQueue;
import io.flowbypass.maps.InnerMaps;
import io.flowbypass.maps.LostCursor;
import io.flowbypass.maps.MapInfo;
import io.flowbypass.maps.MapOperation;
import io.flowbypass.maps.MapService;
import io.flowbypass.maps.MapSpec;
import io.flowbypass.maps.MapType;
import io.flowbypass.maps.PerCpu;
import io.flowbypass.maps.RingBuffer;
import io.flowbypass.maps.TypedMap;
import io.flowbypass.maps.Way;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What each type of map can do; and in what words the service says what one cannot. */
class MapTypesTest {
    private static final int LOOPBACK = 1;
    private static final int XDP_ABORTED = 0;
    private static final int XDP_PASS = 2;

    private final MapService maps = Services.waitFor(MapService.class);

    @BeforeEach
    void needsRoot() {
        Root.required();
    }

    private BpfMap create(MapType type, int keySize, int valueSize, int capacity) {
        return maps.create(new MapSpec(type, "fb_type", keySize, valueSize, capacity,
                type == MapType.LPM_TRIE ? MapSpec.NO_PREALLOC : 0));
    }

    @Test
    void hashesKeepReplaceAndGiveBack() {
        for (MapType type : List.of(MapType.HASH, MapType.LRU_HASH)) {
            try (BpfMap map = create(type, 4, 8, 16)) {
                TypedMap<Integer, Long> entries = map.typed(Codec.INT, Codec.LONG);
                entries.update(1, 10L);
                assertThat(entries.lookup(1)).contains(10L);
                assertThat(entries.lookup(2)).isEmpty();
                assertThat(entries.lookupAndDelete(1)).contains(10L);
                assertThat(entries.lookupAndDelete(1)).isEmpty();
                assertThat(entries.delete(1)).isFalse();
            }
        }
        for (MapType type : List.of(MapType.PERCPU_HASH, MapType.LRU_PERCPU_HASH)) {
            try (BpfMap map = create(type, 4, 4, 16)) {
                TypedMap<Integer, PerCpu<Integer>> entries = map.perCpu(Codec.INT, Codec.INT);
                entries.update(1, PerCpu.same(7, maps.possibleCpus()));
                assertThat(entries.lookupAndDelete(1).orElseThrow().sum(each -> each)).isEqualTo(7L * maps.possibleCpus());
                assertThatThrownBy(() -> entries.update(1, PerCpu.same(7, maps.possibleCpus() + 1)))
                        .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("possible CPUs");
            }
        }
    }

    @Test
    void arraysHaveAllTheirEntriesAlways() {
        try (BpfMap map = create(MapType.ARRAY, 4, 12, 5)) {
            TypedMap<Integer, byte[]> entries = map.typed(Codec.INT, Codec.bytes(12));
            entries.update(4, new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
            assertThat(keys(entries.walk(LostCursor.FAIL))).containsExactly(0, 1, 2, 3, 4);
            Blocks<Integer, byte[]> blocks = entries.lookupBatch(5);
            assertThat(blocks.next()).isTrue();
            assertThat(blocks.value(4)).containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
            cannot("delete an entry: all 5 are there for good", () -> entries.delete(1));
            cannot("delete an entry", () -> entries.drain(5));
            cannot("delete an entry", () -> entries.deleteBatch(5));
            cannot("delete an entry", () -> entries.removeIf((key, value) -> true));
            cannot("look an entry up and delete it in one step", () -> entries.lookupAndDelete(1));
        }
    }

    @Test
    void aTrieFindsTheLongestPrefixAndIsReadAndDrainedByAWalk() {
        try (BpfMap map = create(MapType.LPM_TRIE, 8, 4, 600)) {
            TypedMap<byte[], Integer> prefixes = map.typed(Codec.bytes(8), Codec.INT);
            prefixes.update(FullMapTest.prefix(8, 10), 1);
            prefixes.update(FullMapTest.prefix(7, 10), 2);
            assertThat(prefixes.lookup(FullMapTest.prefix(32, 10))).contains(1);
            assertThat(prefixes.lookup(FullMapTest.prefix(32, 11))).contains(2);
            try (BatchUpdate<byte[], Integer> update = prefixes.updateBatch(16)) {
                assertThat(update.way()).isEqualTo(Way.BATCH);
                for (int first = 100; first < 200; first++) {
                    update.add(FullMapTest.prefix(8, first), first);
                }
            }
            Blocks<byte[], Integer> drain = prefixes.drain(16);
            assertThat(drain.way()).isEqualTo(Way.WALK);
            int drained = 0;
            while (drain.next()) {
                drained += drain.size();
            }
            assertThat(drained).isEqualTo(102);
            assertThat(prefixes.lookupBatch(1).next()).isFalse();
        }
    }

    @Test
    void aDevmapHasAnInterfaceAtSomePlaces() {
        try (BpfMap map = create(MapType.DEVMAP, 4, 4, 8)) {
            TypedMap<Integer, Integer> devices = map.typed(Codec.INT, Codec.INT);
            devices.update(5, LOOPBACK);
            assertThat(devices.lookup(5)).contains(LOOPBACK);
            assertThat(keys(devices.walk(LostCursor.CONTINUE))).as("empty places are passed over").containsExactly(5);
            Blocks<Integer, Integer> blocks = devices.lookupBatch(10);
            assertThat(blocks.way()).isEqualTo(Way.WALK);
            assertThat(blocks.next()).isTrue();
            assertThat(blocks.size()).isEqualTo(1);
            assertThatThrownBy(() -> devices.update(1, Integer.MAX_VALUE)).isInstanceOf(BpfException.class)
                    .hasMessageContaining("the index of a network interface");
            cannot("be updated under a condition", () -> devices.update(1, LOOPBACK, Condition.NOEXIST));
            assertThat(devices.delete(5)).isTrue();
        }
    }

    @Test
    void aMapThatCannotBeMadeIsRefusedWithWhatItsTypeNeeds() {
        Map.of(MapType.LPM_TRIE, "NO_PREALLOC", MapType.ARRAY, "keys of 4 bytes", MapType.RINGBUF, "a power of two",
                MapType.HASH, "at least one entry", MapType.QUEUE, "keys of 0 bytes").forEach((type, need) ->
                assertThatThrownBy(() -> maps.create(new MapSpec(type, "fb_bad", 8, 8, 0, 0)))
                        .isInstanceOf(BpfException.class).hasMessageContaining("creating the map fb_bad")
                        .hasMessageContaining(need));
    }

    /** As a C structure with a hole in it. */
    private record Holed(byte first, int second) {
        static final Codec<Holed> CODEC = new Codec<>() {
            @Override
            public int size() {
                return 8;
            }

            @Override
            public Holed read(ByteBuffer from, int offset) {
                return new Holed(from.get(offset), from.getInt(offset + 4));
            }

            @Override
            public void write(Holed holed, ByteBuffer to, int offset) {
                to.put(offset, holed.first).putInt(offset + 4, holed.second);
            }
        };
    }

    @Test
    void holesAreWrittenAsZerosAndReadAsTheyAre() {
        try (BpfMap map = create(MapType.HASH, 8, 8, 4)) {
            TypedMap<byte[], Long> bytes = map.typed(Codec.bytes(8), Codec.LONG);
            TypedMap<Holed, Holed> holed = map.typed(Holed.CODEC, Holed.CODEC);
            bytes.update(new byte[] {1, 9, 9, 9, 2, 0, 0, 0}, -1L);
            assertThat(holed.lookup(new Holed((byte) 1, 2))).as("another tool left something in the hole").isEmpty();
            assertThat(holed.walk(LostCursor.FAIL).next()).isTrue();
            holed.update(new Holed((byte) 3, 4), new Holed((byte) 5, 6));
            assertThat(bytes.lookup(new byte[] {3, 0, 0, 0, 4, 0, 0, 0})).contains(5L | 6L << 32);
            assertThat(holed.removeIf((key, value) -> true)).isEqualTo(2);
        }
    }

    @Test
    void aQueueGivesTheFirstAndAStackTheLast() {
        try (BpfMap queue = create(MapType.QUEUE, 0, 8, 2); BpfMap stack = create(MapType.STACK, 0, 8, 2)) {
            for (BpfMap map : List.of(queue, stack)) {
                ElementQueue<Long> elements = map.queue(Codec.LONG);
                assertThat(elements.pop()).isEmpty();
                assertThat(elements.peek()).isEmpty();
                elements.push(1L);
                elements.push(2L);
                assertThat(elements.peek()).contains(map == queue ? 1L : 2L);
                elements.pushOver(3L);
                assertThat(elements.pop()).contains(map == queue ? 2L : 3L);
                assertThat(elements.pop()).isPresent();
                assertThat(elements.pop()).isEmpty();
            }
            cannot("be read by a key: it has none; use queue", () -> queue.typed(Codec.INT, Codec.LONG));
            cannot("hold maps", queue::innerMaps);
            cannot("be read as a ring buffer", stack::ringBuffer);
        }
    }

    @Test
    void anArrayOfMapsHoldsMapsOfOneShape() {
        MapSpec inner = new MapSpec(MapType.ARRAY, "fb_inner", 4, 8, 3, 0);
        try (BpfMap outer = maps.create(new MapSpec(MapType.ARRAY_OF_MAPS, "fb_outer", 4, 4, 2, 0, inner));
                BpfMap one = maps.create(inner);
                BpfMap other = maps.create(new MapSpec(MapType.ARRAY, "fb_other", 4, 16, 3, 0))) {
            InnerMaps places = outer.innerMaps();
            assertThat(places.open(0)).isEmpty();
            one.typed(Codec.INT, Codec.LONG).update(2, 4711L);
            places.update(0, one);
            try (BpfMap found = places.open(0).orElseThrow()) {
                assertThat(found.info()).isEqualTo(one.info());
                assertThat(found.typed(Codec.INT, Codec.LONG).lookup(2)).contains(4711L);
            }
            assertThatThrownBy(() -> places.update(1, other)).isInstanceOf(BpfException.class)
                    .hasMessageContaining("the type and the sizes of the inner map");
            assertThatThrownBy(() -> places.update(2, one)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThat(places.delete(0)).isTrue();
            assertThat(places.delete(0)).isFalse();
            cannot("be read as values: it holds maps; use innerMaps", () -> outer.typed(Codec.INT, Codec.INT));
        }
    }

    @Test
    void aRingGivesRecordsInTheirOrderAcrossItsEnd() {
        try (ObjectMaps object = new ObjectMaps(maps); RingBuffer ring = object.map("ring").ringBuffer()) {
            TypedMap<Integer, byte[]> orders = object.map("orders").typed(Codec.INT, Codec.bytes(12));
            List<Integer> numbers = new ArrayList<>();
            Consumer<ByteBuffer> collect = record -> numbers.add(record.getInt());
            assertThat(ring.consume(collect)).isZero();
            int number = 0;
            // 4096 bytes: each round goes on where the last one ended, so records of all lengths meet the end.
            for (int round = 0; round < 50; round++) {
                for (int length : new int[] {4, 100, 1200}) {
                    order(orders, number, length, false);
                    assertThat(object.emit(2)).isEqualTo(XDP_PASS);
                    order(orders, -1, length, true);
                    assertThat(object.emit(1)).as("a record that is discarded").isEqualTo(XDP_PASS);
                    assertThat(ring.consume(record -> {
                        assertThat(record.remaining()).isEqualTo(length);
                        assertThat(record.isReadOnly()).isTrue();
                        collect.accept(record);
                    })).isEqualTo(2);
                    assertThat(numbers).containsExactly(number, number + 1);
                    numbers.clear();
                    number += 2;
                }
            }
        }
    }

    @Test
    void aRingThatIsForgottenWithItsReaderIsClosed() {
        forgetRing();
        Jmx.eventually(() -> {
            System.gc();
            return maps.openMaps().stream().noneMatch(info -> info.name().equals("fb_forgot"));
        }, "it is closed");
    }

    private void forgetRing() {
        maps.create(new MapSpec(MapType.RINGBUF, "fb_forgot", 0, 0, 4096, 0)).ringBuffer();
        assertThat(maps.openMaps()).anyMatch(info -> info.name().equals("fb_forgot"));
    }

    @Test
    void aFullRingHasRoomAgainOnceItWasRead() {
        try (ObjectMaps object = new ObjectMaps(maps); RingBuffer ring = object.map("ring").ringBuffer()) {
            order(object.map("orders").typed(Codec.INT, Codec.bytes(12)), 0, 100, false);
            assertThat(object.emit(100)).isEqualTo(XDP_ABORTED);
            assertThat(ring.consume(record -> { })).isEqualTo(4096 / 112);
            assertThat(object.emit(1)).isEqualTo(XDP_PASS);
        }
    }

    @Test
    void aRecordWhoseCallbackThrowsCountsAsRead() {
        try (ObjectMaps object = new ObjectMaps(maps); RingBuffer ring = object.map("ring").ringBuffer()) {
            order(object.map("orders").typed(Codec.INT, Codec.bytes(12)), 0, 4, false);
            object.emit(3);
            List<Integer> numbers = new ArrayList<>();
            assertThatThrownBy(() -> ring.consume(record -> {
                numbers.add(record.getInt());
                throw new IllegalArgumentException("no");
            })).hasMessage("no");
            ring.consume(record -> numbers.add(record.getInt()));
            assertThat(numbers).containsExactly(0, 1, 2);
        }
    }

    @Test
    void readingEndsWithTheRecordInWhoseCallbackTheRingOrItsMapIsClosed() {
        for (boolean whole : new boolean[] {false, true}) {
            try (ObjectMaps object = new ObjectMaps(maps)) {
                BpfMap map = object.map("ring");
                RingBuffer ring = map.ringBuffer();
                order(object.map("orders").typed(Codec.INT, Codec.bytes(12)), 0, 4, false);
                object.emit(3);
                long begun = System.nanoTime();
                assertThat(ring.consume(record -> {
                    if (whole) {
                        map.close();
                    } else {
                        ring.close();
                    }
                })).isEqualTo(1);
                assertThat(Duration.ofNanos(System.nanoTime() - begun)).as("nobody waits for himself")
                        .isLessThan(Duration.ofSeconds(4));
                assertThatThrownBy(() -> ring.consume(record -> { })).hasMessage("the reader of the map ring is closed");
            }
        }
    }

    @Test
    void aCallbackThatReadsRecordsItselfIsRefused() {
        try (ObjectMaps object = new ObjectMaps(maps); RingBuffer ring = object.map("ring").ringBuffer()) {
            order(object.map("orders").typed(Codec.INT, Codec.bytes(12)), 0, 4, false);
            object.emit(3);
            assertThatThrownBy(() -> ring.consume(record -> ring.consume(inner -> { })))
                    .isInstanceOf(IllegalStateException.class).hasMessageContaining("inside the callback");
            List<Integer> numbers = new ArrayList<>();
            ring.consume(record -> numbers.add(record.order(ByteOrder.BIG_ENDIAN).order(ByteOrder.nativeOrder()).getInt()));
            assertThat(numbers).containsExactly(1, 2);
        }
    }

    @Test
    void whatACallbackDoesToARecordsBufferIsForgottenWithTheRecord() {
        try (ObjectMaps object = new ObjectMaps(maps); RingBuffer ring = object.map("ring").ringBuffer()) {
            order(object.map("orders").typed(Codec.INT, Codec.bytes(12)), 0, 4, false);
            object.emit(3);
            List<Integer> numbers = new ArrayList<>();
            ring.consume(record -> {
                numbers.add(record.getInt());
                record.order(ByteOrder.BIG_ENDIAN).limit(1);
            });
            assertThat(numbers).containsExactly(0, 1, 2);
        }
    }

    @Test
    void closingARingEndsAWaitForItsRecords() throws Exception {
        try (ObjectMaps object = new ObjectMaps(maps)) {
            RingBuffer ring = object.map("ring").ringBuffer();
            long before = waits();
            CompletableFuture<Integer> waiting =
                    CompletableFuture.supplyAsync(() -> ring.consume(record -> { }, Duration.ofMinutes(10)));
            Jmx.eventually(() -> waits() > before, "it waits");
            ring.close();
            assertThatThrownBy(() -> waiting.get(1, TimeUnit.MINUTES)).hasCauseInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("the reader of the map ring is closed");
        }
    }

    private long waits() {
        return maps.calls().get(MapOperation.WAIT).calls();
    }

    @Test
    void waitingForARecordEndsWithItOrWithTheTime() {
        try (ObjectMaps object = new ObjectMaps(maps)) {
            BpfMap map = object.map("ring");
            RingBuffer ring = map.ringBuffer();
            assertThat(ring.consume(record -> { }, Duration.ofMillis(50))).isZero();
            order(object.map("orders").typed(Codec.INT, Codec.bytes(12)), 0, 4, false);
            try (Crowd crowd = new Crowd()) {
                crowd.add(() -> object.emit(1));
                assertThat(ring.consume(record -> { }, Duration.ofSeconds(Long.MAX_VALUE))).isPositive();
            }
            map.close();
            assertThatThrownBy(() -> ring.consume(record -> { })).isInstanceOf(IllegalStateException.class)
                    .hasMessage("the reader of the map ring is closed");
        }
    }

    private static void order(TypedMap<Integer, byte[]> orders, int number, int length, boolean discard) {
        orders.update(0, ByteBuffer.allocate(12).order(ByteOrder.nativeOrder()).putInt(number).putInt(length)
                .putInt(discard ? 1 : 0).array());
    }

    @Test
    void aMapIsDescribedWithTheNamesOfItsTypesWhereThereAreAny() {
        try (ObjectMaps object = new ObjectMaps(maps); BpfMap plain = create(MapType.HASH, 4, 8, 4)) {
            MapInfo info = object.map("locked_hash").info();
            assertThat(info).extracting(MapInfo::type, MapInfo::name, MapInfo::keySize, MapInfo::valueSize,
                    MapInfo::capacity, MapInfo::keyType, MapInfo::valueType)
                    .containsExactly(MapType.HASH, "locked_hash", 4, 72, 16L, "struct example_key", "struct example_value");
            assertThat(object.map("orders").info().keyType()).isEqualTo("__u32");
            assertThat(plain.info().keyType()).isEmpty();
        }
    }

    @Test
    void aFrozenMapCanBeReadOnly() {
        try (BpfMap map = create(MapType.HASH, 4, 8, 4)) {
            TypedMap<Integer, Long> entries = map.typed(Codec.INT, Codec.LONG);
            entries.update(1, 1L);
            map.freeze();
            assertThat(entries.lookup(1)).contains(1L);
            for (ThrowingCallable change : List.<ThrowingCallable>of(() -> entries.update(1, 2L), () -> entries.delete(1),
                    () -> {
                        try (BatchUpdate<Integer, Long> update = entries.updateBatch(1)) {
                            update.add(2, 2L);
                        }
                    })) {
                assertThatThrownBy(change).isInstanceOf(BpfException.class)
                        .hasMessageContaining("it is frozen: only programs can change it");
            }
            assertThatThrownBy(map::freeze).hasMessageContaining("it is frozen");
        }
    }

    @Test
    void aTypeThatThisVersionDoesNotKnowIsDescribedAndNotUsed() {
        // BPF_MAP_TYPE_XSKMAP
        try (Descriptor descriptor = Bpf.createMap(17, "fb_xsk", 4, 4, 1, 0, 0);
                BpfMap map = maps.open(Bpf.describeMap(descriptor.number()).id())) {
            assertThat(map.info().type()).isEqualTo(MapType.UNKNOWN);
            cannot("be used", () -> map.typed(Codec.INT, Codec.INT));
        }
    }

    private static void cannot(String what, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(UnsupportedOperationException.class).hasMessageContaining(" cannot " + what);
    }

    private static <K> List<K> keys(Cursor<K, ?> cursor) {
        List<K> keys = new ArrayList<>();
        while (cursor.next()) {
            keys.add(cursor.key());
        }
        return keys;
    }
}
