// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * A value that is at most 500 ms old: a console reads all attributes of an MBean one by one at each refresh.
 * Thread-safe.
 */
final class Recent<T> {
    private static final long MAX_AGE_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    private final Supplier<T> source;
    private final LongSupplier clock;
    private T value;
    private long readAt;

    /**
     * A value from this source.
     *
     * @param clock the monotonic clock in nanoseconds
     */
    Recent(Supplier<T> source, LongSupplier clock) {
        this.source = source;
        this.clock = clock;
    }

    synchronized T get() {
        long now = clock.getAsLong();
        if (value == null || now - readAt > MAX_AGE_NANOS) {
            value = source.get();
            readAt = now;
        }
        return value;
    }

    /** The next {@link #get()} asks the source. */
    synchronized void forget() {
        value = null;
    }
}
