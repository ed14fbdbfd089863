// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.expiry.internal;

import io.flowbypass.flow.Decision;
import io.flowbypass.flow.Difference;
import io.flowbypass.flow.Direction;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowSweeper;
import io.flowbypass.flow.FlowTest;
import io.flowbypass.flow.FlowView;
import io.flowbypass.flow.SweepResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** A table of TCP flows that differ in their source port. */
final class FakeTable implements FlowSweeper {
    final Map<Integer, Decision> ended = new ConcurrentHashMap<>();
    final AtomicInteger sweeps = new AtomicInteger();
    volatile int capacity = 1000;
    volatile int pretendedFlows = -1;
    volatile RuntimeException broken;
    private final Map<Integer, FlowView> flows = new ConcurrentHashMap<>();

    FakeTable(int count) {
        add(count);
    }

    void add(int count) {
        for (int i = 0; i < count; i++) {
            int port = 1000 + flows.size() + ended.size();
            flows.put(port, new Flow(port));
        }
    }

    @Override
    public int activeFlows() {
        return pretendedFlows >= 0 ? pretendedFlows : flows.size();
    }

    @Override
    public int capacity() {
        return capacity;
    }

    @Override
    public SweepResult sweep(FlowTest test, Duration budget) {
        if (broken != null) {
            throw broken;
        }
        sweeps.incrementAndGet();
        int scanned = 0;
        int before = ended.size();
        for (Map.Entry<Integer, FlowView> flow : flows.entrySet()) {
            scanned++;
            Decision decision = test.decide(flow.getValue());
            if (decision.ends()) {
                flows.remove(flow.getKey());
                ended.put(flow.getKey(), decision);
            }
        }
        return new SweepResult(scanned, ended.size() - before, 0, true);
    }

    @Override
    public List<Difference> compare(FlowTest active, FlowTest other, int limit) {
        List<Difference> differences = new ArrayList<>();
        for (FlowView flow : flows.values()) {
            Decision one = active.decide(flow);
            Decision two = other.decide(flow);
            if (one.ends() != two.ends() && differences.size() < limit) {
                differences.add(new Difference(flow.key(), one, two));
            }
        }
        return differences;
    }

    private record Flow(int port) implements FlowView {
        @Override
        public int protocol() {
            return 6;
        }

        @Override
        public long idleNanos() {
            return 0;
        }

        @Override
        public long idleErrorNanos() {
            return 0;
        }

        @Override
        public long ageNanos() {
            return 0;
        }

        @Override
        public long packets(Direction direction) {
            return 0;
        }

        @Override
        public long bytes(Direction direction) {
            return 0;
        }

        @Override
        public int tcpFlags(Direction direction) {
            return 0;
        }

        @Override
        public long idleTimeoutNanos(long otherwise) {
            return otherwise;
        }

        @Override
        public FlowKey key() {
            return FlowKey.of(6, "10.0.0.1", port, "10.0.0.2", 443);
        }
    }
}
