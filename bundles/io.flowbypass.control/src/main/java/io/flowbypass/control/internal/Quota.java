// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.control.internal;

import io.flowbypass.flow.Origin;
import java.util.Arrays;
import java.util.function.LongSupplier;

/** How many cuts in a second the askers of one origin may ask for: that many at once, and as many in each second. */
final class Quota {
    private static final double NANOS = 1e9;

    private final LongSupplier nanoClock;
    private final double[] left = new double[Origin.values().length];
    private final long[] seen = new long[left.length];
    private int perSecond;

    /** @param nanoClock such as {@link System#nanoTime} */
    Quota(int perSecond, LongSupplier nanoClock) {
        this.nanoClock = nanoClock;
        this.perSecond = perSecond;
        Arrays.fill(left, perSecond);
        Arrays.fill(seen, nanoClock.getAsLong());
    }

    synchronized void setPerSecond(int value) {
        perSecond = value;
    }

    /** Takes one of what is left now; false when nothing is. */
    synchronized boolean take(Origin origin) {
        int of = origin.ordinal();
        long now = nanoClock.getAsLong();
        left[of] = Math.min(perSecond, left[of] + (now - seen[of]) / NANOS * perSecond);
        seen[of] = now;
        if (left[of] < 1) {
            return false;
        }
        left[of]--;
        return true;
    }
}
