// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.control.internal;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/** What happened at the socket since it was opened. Thread-safe. */
final class Counters {
    /** Clients that are connected now. */
    final AtomicInteger connections = new AtomicInteger();
    /** Clients that were let in. */
    final LongAdder accepted = new LongAdder();
    /** Clients that were one too many while all others were busy. */
    final LongAdder turnedAway = new LongAdder();
    /** Clients that did not read their answers. */
    final LongAdder closedAsSlow = new LongAdder();
    /** Clients that made room for others, having been silent longest. */
    final LongAdder closedAsSilent = new LongAdder();
    /** Lines that were answered. */
    final LongAdder requests = new LongAdder();
    private final Map<Refusal, LongAdder> refused = new EnumMap<>(Refusal.class);

    Counters() {
        for (Refusal refusal : Refusal.values()) {
            refused.put(refusal, new LongAdder());
        }
    }

    void countRefused(Refusal refusal) {
        refused.get(refusal).increment();
    }

    long refused(Refusal refusal) {
        return refused.get(refusal).sum();
    }
}
