// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

/** No sweep but those that a test asks for, until this is closed. */
public final class SweepsByHand implements AutoCloseable {
    private static final int NEVER_MILLIS = 3_600_000;
    private static final int SHIPPED_MILLIS = 1000;

    /** From now on: a new interval begins with a sweep, and this comes behind it. */
    public SweepsByHand() {
        Jmx.setAttribute("Expiry", "SweepIntervalMillis", NEVER_MILLIS);
        sweep();
    }

    /** Sweeps once; returns how many flows that ended. */
    public int sweep() {
        return (Integer) Jmx.invoke("Expiry", "sweepNow");
    }

    @Override
    public void close() {
        Jmx.setAttribute("Expiry", "SweepIntervalMillis", SHIPPED_MILLIS);
    }
}
