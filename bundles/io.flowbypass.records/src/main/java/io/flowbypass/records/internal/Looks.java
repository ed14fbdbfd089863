// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.records.internal;

import io.flowbypass.flow.Decision;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowState;
import io.flowbypass.flow.FlowSweeper;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.flow.FlowTest;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;

/**
 * Looks at the flow table for flows that began, and that are due for an update, since the look before. It goes by their ages
 * and remembers none. A comparison shows each flow and changes nothing; nobody waits for it, and the flows it is about are
 * then asked for one by one. For one thread.
 */
final class Looks {
    private static final FlowTest KEEP = flow -> Decision.KEEP;

    private FlowTable table;
    private long last;

    /**
     * Looks; the first look at a table finds nothing.
     *
     * @param now {@link System#nanoTime()}
     * @param period a flow is due whenever its age is a multiple of this, in nanoseconds
     * @param found takes {@link Fields#START} or {@link Fields#UPDATE}, and the flow
     */
    void look(FlowTable current, long now, long period, BiConsumer<String, FlowState> found) {
        long since = now - last;
        boolean isFirst = current != table;
        table = current;
        last = now;
        if (isFirst || !(current instanceof FlowSweeper flows)) {
            return;
        }
        List<FlowKey> begun = new ArrayList<>();
        List<FlowKey> due = new ArrayList<>();
        flows.compare(KEEP, flow -> {
            long age = flow.ageNanos();
            long before = age - since;
            // One that comes while this looks has the age 0: the next look finds it.
            if (age > 0 && before <= 0) {
                begun.add(flow.key());
            } else if (before > 0 && age / period != before / period) {
                due.add(flow.key());
            }
            return Decision.KEEP;
        }, 1);
        begun.forEach(key -> current.find(key).ifPresent(flow -> found.accept(Fields.START, flow)));
        due.forEach(key -> current.find(key).ifPresent(flow -> found.accept(Fields.UPDATE, flow)));
    }
}
