// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import io.flowbypass.xdp.DataPlane;
import io.flowbypass.xdp.Verdict;
import io.flowbypass.xdp.VerdictCounts;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Holds what XDP says it cut against what the flows' counters hold.
 *
 * <p>XDP adds to a record first and to its verdict second, so while it runs a CPU may be between the two: with the
 * records read before and after the verdicts, {@code before - CPUs <= verdicts <= after}.
 */
final class Ledger {
    /**
     * Both sides.
     *
     * @param packets packets that XDP cut
     * @param bytes their bytes
     * @param unaccounted by how many packets the rule above is broken
     */
    record Account(long packets, long bytes, long unaccounted) {
    }

    private final DataPlane dataPlane;
    private final int cpus;

    Ledger(DataPlane dataPlane, int cpus) {
        this.dataPlane = dataPlane;
        this.cpus = cpus;
    }

    /** Compares; {@code counted} sums the packet counters of all slots. */
    Account close(LongSupplier counted) {
        long before = counted.getAsLong();
        long packets = 0;
        long bytes = 0;
        for (Map.Entry<Verdict, VerdictCounts> verdict : dataPlane.verdicts().entrySet()) {
            if (verdict.getKey().isInTable()) {
                packets += verdict.getValue().packets();
                bytes += verdict.getValue().bytes();
            }
        }
        long after = counted.getAsLong();
        return new Account(packets, bytes, Math.max(0, Math.max(before - cpus - packets, packets - after)));
    }
}
