// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.libbpf.BpfException;
import io.flowbypass.maps.CallCounts;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/** Counts system calls. Thread-safe. */
final class Calls {
    private final LongAdder made = new LongAdder();
    private final LongAdder failed = new LongAdder();

    <T> T count(Supplier<T> call) {
        made.increment();
        try {
            return call.get();
        } catch (BpfException refused) {
            failed.increment();
            throw refused;
        }
    }

    void countRun(Runnable call) {
        count(() -> {
            call.run();
            return null;
        });
    }

    CallCounts counts() {
        return new CallCounts(made.sum(), failed.sum());
    }
}
