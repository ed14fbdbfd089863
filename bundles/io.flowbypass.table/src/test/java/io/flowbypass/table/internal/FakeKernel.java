// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowListener;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.Origin;
import io.flowbypass.maps.ElementQueue;
import io.flowbypass.maps.Gate;
import io.flowbypass.maps.Mapping;
import io.flowbypass.xdp.DataPlane;
import io.flowbypass.xdp.Verdict;
import io.flowbypass.xdp.VerdictCounts;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.assertj.core.api.Assertions;

/** The table's memory without a kernel behind it; packets are counted as XDP would count them. */
final class FakeKernel {
    static final int REDIRECT_PORT = 3;

    private static final long[] SEEDS = {0x1234, 0x9876};

    final Mapping index;
    final Mapping records;
    final Mapping info;
    final Delivery delivery = new Delivery();
    final List<FlowRecord> ended = new CopyOnWriteArrayList<>();
    /** Slots lent to XDP. */
    final FakeQueue reserve = new FakeQueue();
    boolean tracksVlans;
    /** Runs instead of a grace period. */
    volatile Runnable grace = () -> { };
    private final NativeTable table;
    private long cutPackets;
    private long cutBytes;

    FakeKernel(int capacity) {
        index = memory((capacity / 3 + 1) * Layout.BUCKET_BYTES);
        records = memory(capacity * 2 * Layout.RECORD_BYTES);
        info = memory(capacity * Layout.INFO_BYTES);
        table = new NativeTable(index, records, info, SEEDS);
        delivery.add(this, "test", (FlowListener) ended::addAll);
    }

    private static Mapping memory(int bytes) {
        return new Mapping(ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder()));
    }

    /** The table as a JVM would find it; call it again for a restart. */
    NativeFlowTable start() {
        NativeFlowTable flows = new NativeFlowTable(new NativeTable(index, records, info, SEEDS), new OpenGate(),
                dataPlane(), new Ledger(dataPlane(), 1), delivery, new Reserve(reserve), () -> grace.run());
        flows.start();
        flows.setNeverCut(new NeverCut(List.of()), list -> { });
        return flows;
    }

    Gate gate() {
        return new OpenGate();
    }

    /** The raw table. */
    NativeTable table() {
        return table;
    }

    /** XDP cuts a flow off by itself; returns the slot that it took from the reserve. */
    int cutOff(FlowKey key) {
        int slot = claim(key);
        table.setState(slot, Layout.LIVE);
        return slot;
    }

    /** XDP is about to do so. */
    int claim(FlowKey key) {
        TableKey packed = new TableKey();
        int forward = packed.set(key);
        int slot = reserve.pop().orElseThrow();
        table.write(slot, packed, forward, BypassRequest.of(key).withOrigin(Origin.AUTOMATIC), System.nanoTime());
        table.publish(slot, packed);
        return slot;
    }

    /** A packet of this key arrives; true when it is cut. */
    boolean packet(FlowKey key, int bytes, int tcpFlags) {
        TableKey packed = new TableKey();
        int record = packed.set(key);
        int slot = table.find(packed);
        if (slot < 0) {
            return false;
        }
        count(slot, record, bytes, tcpFlags);
        return true;
    }

    /** A packet is counted on a slot, by a program that found it before. */
    void count(int slot, int direction, int bytes, int tcpFlags) {
        int at = Layout.record(slot, direction);
        records.getAndAddLong(at + Layout.RECORD_PACKETS, 1);
        records.getAndAddLong(at + Layout.RECORD_BYTE_COUNT, bytes);
        records.setLong(at + Layout.RECORD_LAST_SEEN, System.nanoTime());
        records.setInt(at + Layout.RECORD_SEEN, records.getInt(at + Layout.RECORD_SEEN) | tcpFlags);
        cutPackets++;
        cutBytes += bytes;
    }

    /** XDP's verdicts lie by so many packets. */
    void miscount(int packets) {
        cutPackets += packets;
    }

    /** Waits for records. */
    List<FlowRecord> awaitEnded(int count) {
        long end = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        while (ended.size() < count && System.nanoTime() < end) {
            Thread.onSpinWait();
        }
        Assertions.assertThat(ended).hasSize(count);
        return ended;
    }

    DataPlane dataPlane() {
        return (DataPlane) Proxy.newProxyInstance(FakeKernel.class.getClassLoader(), new Class<?>[] {DataPlane.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals("verdicts")) {
                        return Map.of(Verdict.CUT_DROPPED, new VerdictCounts(cutPackets, cutBytes),
                                Verdict.PASSED_NO_FLOW, new VerdictCounts(5, 500));
                    }
                    return switch (method.getName()) {
                        case "tableId" -> 0xabcL;
                        case "tracksVlans" -> tracksVlans;
                        case "hasRedirectPort" -> arguments[0].equals(REDIRECT_PORT);
                        default -> throw new UnsupportedOperationException(method.getName());
                    };
                });
    }

    /** The map that is the reserve. */
    static final class FakeQueue implements ElementQueue<Integer> {
        private final Deque<Integer> elements = new ArrayDeque<>();
        boolean isBusy;

        @Override
        public void push(Integer value) {
            if (isBusy) {
                throw new IllegalStateException("busy");
            }
            elements.addLast(value);
        }

        @Override
        public void pushOver(Integer value) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Optional<Integer> pop() {
            return Optional.ofNullable(elements.pollFirst());
        }

        @Override
        public Optional<Integer> peek() {
            throw new UnsupportedOperationException();
        }

        int size() {
            return elements.size();
        }
    }

    /** A gate that never closes. */
    private static final class OpenGate implements Gate {
        @Override
        public boolean enter() {
            return true;
        }

        @Override
        public void exit() {
            // Nothing is counted.
        }

        @Override
        public void close() {
            // Memory here needs no unmapping.
        }
    }
}
