// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowListener;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.MapInfo;
import io.flowbypass.maps.MapType;
import io.flowbypass.maps.Mapping;
import io.flowbypass.xdp.OldTable;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A table that was moved aside, in this version's layout. */
class DrainTest {
    private static final int CAPACITY = 2 * Drain.BATCH;
    private static final String DURABLE = "durable";

    private final FakeKernel kernel = new FakeKernel(CAPACITY);
    private final NativeTable table = kernel.table();
    private final CountDownLatch removed = new CountDownLatch(1);
    private final Drain drain = new Drain(oldTable(), kernel.gate(), kernel.delivery, () -> kernel.grace.run());

    @AfterEach
    void stop() {
        drain.stop();
    }

    private static FlowKey key(int slot) {
        return FlowKey.of(17, "10.0.0.2", 1000 + slot, "10.0.0.1", 2000);
    }

    private void write(int slot, int state) {
        TableKey key = new TableKey();
        int forward = key.set(key(slot));
        table.write(slot, key, forward, BypassRequest.of(key(slot)).withAsker("me").withCookie("c"), System.nanoTime());
        table.setState(slot, state);
    }

    private boolean isRemoved() throws InterruptedException {
        return removed.await(10, TimeUnit.SECONDS);
    }

    @Test
    void shouldRecordWhatWasBypassedOrOnItsWayOutAndNothingElse() throws Exception {
        write(1, Layout.LIVE);
        write(2, Layout.CLOSING);
        table.setEndReason(2, EndReason.IDLE);
        write(3, Layout.HARVESTED);
        write(4, Layout.CLAIMED);
        write(5, Layout.FREE);
        write(6, Layout.CLAIMED);
        int second = Layout.record(6, 1) + Layout.RECORD_MATCH;
        kernel.records.setInt(second, kernel.records.getInt(second) ^ (Layout.CLAIMED ^ Layout.LIVE) << Layout.STATE_SHIFT);
        kernel.count(1, 0, 100, 0);
        kernel.count(1, 1, 70, 2);
        kernel.count(1, 1, 70, 16);
        drain.start();
        assertThat(isRemoved()).isTrue();
        List<FlowRecord> records = kernel.awaitEnded(3);
        assertThat(records).extracting(FlowRecord::id).containsExactly("7b-1-1", "7b-2-1", "7b-6-1");
        assertThat(records).extracting(FlowRecord::reason).containsExactly(EndReason.RECOVERED, EndReason.IDLE,
                EndReason.RECOVERED);
        assertThat(records.get(0).flow()).usingRecursiveComparison().ignoringFieldsMatchingRegexes(".*Seen")
                .isEqualTo(table.flowState(1));
        assertThat(records.get(0).flow().packets()).isEqualTo(3);
    }

    @Test
    void shouldCountWhatIsCutUntilTheGraceIsOver() throws Exception {
        write(1, Layout.LIVE);
        kernel.grace = () -> kernel.count(1, 0, 100, 0);
        drain.start();
        assertThat(isRemoved()).isTrue();
        assertThat(kernel.awaitEnded(1).get(0).flow().packets()).isEqualTo(1);
    }

    @Test
    void shouldReadNoMoreThanIsTakenAndRemoveTheTableWhenAllIs() throws Exception {
        for (int slot = 0; slot < CAPACITY; slot++) {
            write(slot, Layout.LIVE);
        }
        kernel.delivery.setDurable(Set.of(DURABLE));
        drain.start();
        awaitThatItWaits();
        kernel.awaitEnded(Drain.BATCH);
        List<FlowRecord> taken = new CopyOnWriteArrayList<>();
        kernel.delivery.add(DURABLE, DURABLE, (FlowListener) records -> {
            assertThat(kernel.ended.size() - taken.size()).as("what waits").isLessThanOrEqualTo(Drain.BATCH);
            assertThat(removed.getCount()).isEqualTo(1);
            taken.addAll(records);
        });
        assertThat(isRemoved()).isTrue();
        assertThat(taken).extracting(FlowRecord::id).doesNotHaveDuplicates().hasSize(CAPACITY);
    }

    @Test
    void shouldLeaveTheTableWhenItIsStoppedBefore() {
        write(1, Layout.LIVE);
        kernel.delivery.setDurable(Set.of(DURABLE));
        drain.start();
        kernel.awaitEnded(1);
        drain.stop();
        assertThat(removed.getCount()).isEqualTo(1);
    }

    private static void awaitThatItWaits() {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (Thread.getAllStackTraces().keySet().stream().noneMatch(thread -> thread.getName().equals("flowbypass-drain")
                && thread.getState() == Thread.State.WAITING)) {
            assertThat(System.nanoTime() - end).as("it waits").isNegative();
        }
    }

    private OldTable oldTable() {
        BpfMap records = map(kernel.records, 2 * CAPACITY);
        BpfMap info = map(kernel.info, CAPACITY);
        return new OldTable() {
            @Override
            public long tableId() {
                return 0x7b;
            }

            @Override
            public BpfMap records() {
                return records;
            }

            @Override
            public BpfMap info() {
                return info;
            }

            @Override
            public int offset(Member member) {
                return switch (member) {
                    case LAST_SEEN -> Layout.RECORD_LAST_SEEN;
                    case PACKETS -> Layout.RECORD_PACKETS;
                    case BYTES -> Layout.RECORD_BYTE_COUNT;
                    case SEEN -> Layout.RECORD_SEEN;
                    case MATCH -> Layout.RECORD_MATCH;
                    case GENERATION -> Layout.RECORD_GENERATION;
                    case ADDED -> Layout.RECORD_ADDED;
                    case ADDR -> Layout.INFO_ADDR;
                    case PORTS -> Layout.INFO_PORTS;
                    case PROTO -> Layout.INFO_PROTO;
                    case FORWARD -> Layout.INFO_FORWARD;
                    case ORIGIN -> Layout.INFO_FORWARD + Layout.ORIGIN_SHIFT / Byte.SIZE;
                    case END_REASON -> Layout.INFO_FORWARD + Layout.END_REASON_SHIFT / Byte.SIZE;
                    case BASE_PACKETS -> Layout.INFO_BASE_PACKETS;
                    case BASE_BYTES -> Layout.INFO_BASE_BYTES;
                    case ASKER -> Layout.INFO_ASKER;
                    case RULE -> Layout.INFO_RULE;
                    case COOKIE -> Layout.INFO_COOKIE;
                };
            }

            @Override
            public int size(Member member) {
                return member == Member.COOKIE ? 32 : 16;
            }

            @Override
            public void remove() {
                removed.countDown();
            }
        };
    }

    private static BpfMap map(Mapping memory, int entries) {
        MapInfo info = new MapInfo(0, MapType.ARRAY, "", 4, (int) memory.size() / entries, entries, 0, "", "");
        return (BpfMap) Proxy.newProxyInstance(DrainTest.class.getClassLoader(), new Class<?>[] {BpfMap.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "info" -> info;
                    case "map" -> memory;
                    default -> throw new UnsupportedOperationException(method.getName());
                });
    }
}
