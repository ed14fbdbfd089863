// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

/**
 * How large the maps of a table are.
 *
 * @param capacity flows, 64 to 10485760
 */
record Geometry(int capacity) {
    static final int MIN_CAPACITY = 64;
    static final int MAX_CAPACITY = 10485760;

    /** So few that of a million flows none finds both its buckets full, and of 12 packets one looks into its second one. */
    private static final int FLOWS_PER_BUCKET = 3;
    private static final int DIRECTIONS = 2;

    Geometry {
        if (capacity < MIN_CAPACITY || capacity > MAX_CAPACITY) {
            throw new IllegalArgumentException(
                    "capacity is " + capacity + ": it must be from " + MIN_CAPACITY + " to " + MAX_CAPACITY + " flows");
        }
    }

    /** Buckets of the index, of seven cells each. */
    int buckets() {
        return (capacity + FLOWS_PER_BUCKET - 1) / FLOWS_PER_BUCKET;
    }

    /** Entries of {@code records}. */
    int records() {
        return capacity * DIRECTIONS;
    }
}
