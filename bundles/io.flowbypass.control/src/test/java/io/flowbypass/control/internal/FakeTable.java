// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.control.internal;

import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.CutAction;
import io.flowbypass.flow.DirectionCounts;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowState;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.flow.NeverCutException;
import io.flowbypass.flow.Origin;
import io.flowbypass.flow.TableFullException;
import io.flowbypass.flow.TableStatistics;
import io.flowbypass.xdp.DataPlane;
import java.lang.reflect.Proxy;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** Stands in for a table of ten flows, and for the data plane below it. */
final class FakeTable implements FlowTable {
    static final int CAPACITY = 10;
    /** A flow with this source port must not be cut. */
    static final int NEVER_CUT_PORT = 22;

    final Map<FlowKey, BypassRequest> flows = new LinkedHashMap<>();
    /** Releases that wait for their records; null: none waits. */
    List<Runnable> releases;
    boolean paused;
    boolean gone;
    /** Comes of each bypass; null: none. */
    volatile Error error;
    /** Runs with each page. */
    volatile Runnable listed = () -> { };
    int pages;
    int scans;

    @Override
    public synchronized boolean bypass(BypassRequest request) {
        if (error != null) {
            throw error;
        }
        if (gone) {
            throw new IllegalStateException("the flow table is gone");
        }
        if (request.key().sourcePort() == NEVER_CUT_PORT) {
            throw new NeverCutException(request.key() + " is never cut");
        }
        if (!flows.containsKey(request.key()) && flows.size() == CAPACITY) {
            throw new TableFullException("table full");
        }
        return flows.putIfAbsent(request.key(), request) == null;
    }

    @Override
    public synchronized CompletableFuture<Optional<FlowRecord>> release(FlowKey key) {
        Optional<FlowRecord> record = find(key).map(flow -> new FlowRecord("1-2-3", flow, EndReason.RELEASED, ""));
        flows.remove(key);
        if (releases == null || record.isEmpty()) {
            return CompletableFuture.completedFuture(record);
        }
        CompletableFuture<Optional<FlowRecord>> later = new CompletableFuture<>();
        releases.add(() -> later.complete(record));
        return later;
    }

    @Override
    public boolean isNeverCut(FlowKey key) {
        throw new UnsupportedOperationException();
    }

    @Override
    public synchronized Optional<FlowState> find(FlowKey key) {
        return Optional.ofNullable(flows.get(key)).map(FakeTable::state);
    }

    private static FlowState state(BypassRequest request) {
        Instant time = Instant.parse("2026-11-25T12:00:00.123456Z");
        return new FlowState(request.key(), new DirectionCounts(3, 300, 0), new DirectionCounts(1, 60, 0), time, time,
                CutAction.DROP, request.origin(), request.asker(), request.rule(), request.cookie());
    }

    @Override
    public synchronized List<FlowState> list(int offset, int limit) {
        pages++;
        listed.run();
        return flows.values().stream().skip(offset).limit(limit).map(FakeTable::state).toList();
    }

    @Override
    public int flush() {
        throw new UnsupportedOperationException();
    }

    @Override
    public synchronized int activeFlows(Origin origin) {
        return (int) flows.values().stream().filter(request -> request.origin() == origin).count();
    }

    @Override
    public TableStatistics statistics() {
        scans++;
        return new TableStatistics(flows.size(), 0, CAPACITY, 0, 0, 0, 0, 0, 0, 0);
    }

    DataPlane dataPlane() {
        return (DataPlane) Proxy.newProxyInstance(DataPlane.class.getClassLoader(), new Class<?>[] {DataPlane.class},
                (self, method, arguments) -> switch (method.getName()) {
                    case "capacity" -> CAPACITY;
                    case "paused" -> paused;
                    case "setPaused" -> {
                        paused = (Boolean) arguments[0];
                        yield null;
                    }
                    case "leaseSeconds" -> 60;
                    case "leaseAgeMillis" -> 5L;
                    case "attachments" -> List.of();
                    default -> throw new UnsupportedOperationException(method.getName());
                });
    }
}
