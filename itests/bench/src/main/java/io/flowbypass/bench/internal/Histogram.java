// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import java.util.Arrays;

/** How often something took how long, to 1 part in 32. Adding allocates nothing. For one thread. */
final class Histogram {
    private static final int PARTS_BITS = 5;
    private static final int PARTS = 1 << PARTS_BITS;

    /** Of each power of two the parts; below the first one, whole nanoseconds. */
    private final long[] counts = new long[(Long.SIZE - PARTS_BITS) * PARTS];
    private long total;
    private long greatest;

    void add(long nanos) {
        long value = Math.max(0, nanos);
        counts[index(value)]++;
        total++;
        greatest = Math.max(greatest, value);
    }

    /** Adds all that another one has. */
    void add(Histogram other) {
        Arrays.setAll(counts, i -> counts[i] + other.counts[i]);
        total += other.total;
        greatest = Math.max(greatest, other.greatest);
    }

    long greatest() {
        return greatest;
    }

    /** What so many percent took at most, rounded up to a part. */
    long percentile(double percent) {
        long wanted = (long) Math.ceil(total * percent / 100);
        long seen = 0;
        for (int i = 0; i < counts.length; i++) {
            seen += counts[i];
            if (seen >= wanted && seen > 0) {
                return Math.min(greatest, last(i));
            }
        }
        return greatest;
    }

    private static int index(long value) {
        int power = Long.SIZE - 1 - Long.numberOfLeadingZeros(value | PARTS);
        int shift = power - PARTS_BITS;
        return shift * PARTS + (int) (value >>> shift);
    }

    /** The greatest value with that index. */
    private static long last(int index) {
        int shift = Math.max(0, index / PARTS - 1);
        return ((long) index - shift * PARTS + 1 << shift) - 1;
    }
}
