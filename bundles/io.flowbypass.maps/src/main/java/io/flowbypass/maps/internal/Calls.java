// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.maps.CallCounts;
import io.flowbypass.maps.MapOperation;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/** Counts system calls. Thread-safe. */
final class Calls {
    private static final MapOperation[] OPERATIONS = MapOperation.values();

    private final LongAdder[] made = adders();
    private final LongAdder[] failed = adders();

    void made(MapOperation operation) {
        made[operation.ordinal()].increment();
    }

    void failed(MapOperation operation) {
        failed[operation.ordinal()].increment();
    }

    Map<MapOperation, CallCounts> counts() {
        Map<MapOperation, CallCounts> counts = new EnumMap<>(MapOperation.class);
        for (MapOperation operation : OPERATIONS) {
            counts.put(operation,
                    new CallCounts(made[operation.ordinal()].sum(), failed[operation.ordinal()].sum()));
        }
        return counts;
    }

    private static LongAdder[] adders() {
        LongAdder[] adders = new LongAdder[OPERATIONS.length];
        for (int i = 0; i < adders.length; i++) {
            adders[i] = new LongAdder();
        }
        return adders;
    }
}
