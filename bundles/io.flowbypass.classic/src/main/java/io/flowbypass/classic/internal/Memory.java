// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.classic.internal;

import io.flowbypass.flow.FlowKey;
import java.util.HashMap;
import java.util.Map;

/**
 * What the sweep before saw of a table's entries whose values do not say when the last packet came, Suricata's and those of Zeek
 * that had none yet, and what this one sees. For the thread of one sweep.
 */
final class Memory {
    private final Map<FlowKey, Known> before;
    private final Map<FlowKey, Known> now = new HashMap<>();
    private final long sweptBefore;

    /** Without a sweep before. */
    Memory() {
        this(Map.of(), Long.MIN_VALUE);
    }

    private Memory(Map<FlowKey, Known> before, long sweptBefore) {
        this.before = before;
        this.sweptBefore = sweptBefore;
    }

    /**
     * Of one entry; all times monotonic ns.
     *
     * @param packets when it was seen last
     * @param changed when they were seen to have changed
     * @param first when it was seen first
     * @param error how long before {@code changed} the last packet may have come
     */
    record Known(long packets, long changed, long first, long error) {
    }

    /** What is known of an entry that is seen now; while all is paused its packets, which are not counted, may come. */
    Known note(FlowKey key, long packets, long nowNanos, boolean paused) {
        Known known = before.get(key);
        if (known == null) {
            known = new Known(packets, nowNanos, nowNanos, sinceSweep(nowNanos));
        } else if (known.packets != packets || paused) {
            known = new Known(packets, nowNanos, known.first, sinceSweep(nowNanos));
        }
        now.put(key, known);
        return known;
    }

    private long sinceSweep(long nowNanos) {
        return sweptBefore == Long.MIN_VALUE ? Long.MAX_VALUE : nowNanos - sweptBefore;
    }

    /** For the next sweep, after one that began then and saw all entries: what it did not see is forgotten. */
    Memory next(long begun) {
        return new Memory(now, begun);
    }

    /** Those of several tables, for a look between two sweeps. */
    static Map<Integer, Memory> looks(Map<Integer, Memory> memories) {
        Map<Integer, Memory> looks = new HashMap<>();
        memories.forEach((id, memory) -> looks.put(id, new Memory(memory.before, memory.sweptBefore)));
        return looks;
    }
}
