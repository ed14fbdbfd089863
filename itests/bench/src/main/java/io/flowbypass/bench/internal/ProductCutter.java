// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.flow.TableStatistics;
import io.flowbypass.libbpf.Descriptor;
import java.io.IOException;
import java.time.Duration;

/** Flowbypass as it is shipped: the program that it pinned, and its table. */
final class ProductCutter implements Cutter, AutoCloseable {
    private static final Duration LONGER_THAN_A_BENCH = Duration.ofDays(1);
    private static final long CLEAR_SECONDS = 60;
    private static final long POLL_MILLIS = 20;

    private final FlowTable table;
    private final Descriptor program;

    ProductCutter(Run run, FlowTable table) {
        this.table = table;
        program = run.pinned("program");
    }

    @Override
    public String title() {
        return "Flowbypass";
    }

    @Override
    public int program() {
        return program.number();
    }

    @Override
    public void add(Family family, int first, int count) {
        for (int i = 0; i < count; i++) {
            add(BypassRequest.of(family.key(first + i)));
        }
    }

    /** Bypasses a flow until it is {@linkplain #clear() cleared}. */
    void add(BypassRequest request) {
        table.bypass(request.withIdleTimeout(LONGER_THAN_A_BENCH));
    }

    @Override
    public long cut(Family family) throws IOException {
        TableStatistics statistics = table.statistics();
        if (statistics.unaccountedPackets() != 0) {
            throw new IOException(String.format("Flowbypass is wrong: its verdicts and the counters of its flows differ by %,d"
                    + " packets.", statistics.unaccountedPackets()));
        }
        return statistics.bypassedPackets();
    }

    /** Takes all flows out, and waits until every slot is free again. */
    void clear() throws IOException, InterruptedException {
        table.flush();
        long begun = System.nanoTime();
        TableStatistics now = table.statistics();
        while (now.activeFlows() + now.closingFlows() > 0) {
            if (System.nanoTime() - begun > Duration.ofSeconds(CLEAR_SECONDS).toNanos()) {
                throw new IOException(String.format("Flowbypass is wrong: %,d flows are still in its table %d s after it was"
                        + " flushed.", now.activeFlows() + now.closingFlows(), CLEAR_SECONDS));
            }
            Thread.sleep(POLL_MILLIS);
            now = table.statistics();
        }
    }

    @Override
    public void close() {
        program.close();
    }
}
