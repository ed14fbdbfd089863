// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

/**
 * How large the maps of a table are.
 *
 * @param capacity flows, 64 to 8388608
 */
record Geometry(int capacity) {
    static final int MIN_CAPACITY = 64;
    static final int MAX_CAPACITY = 8388608;

    private static final int CELLS_PER_FLOW = 2;
    private static final int CELLS_PER_BUCKET = 8;
    private static final int DIRECTIONS = 2;

    Geometry {
        if (capacity < MIN_CAPACITY || capacity > MAX_CAPACITY) {
            throw new IllegalArgumentException(
                    "capacity is " + capacity + ": it must be from " + MIN_CAPACITY + " to " + MAX_CAPACITY + " flows");
        }
    }

    /** Buckets of the index: a power of two, with at least two cells per flow. */
    int buckets() {
        int needed = (capacity * CELLS_PER_FLOW + CELLS_PER_BUCKET - 1) / CELLS_PER_BUCKET;
        return needed == 1 ? 1 : Integer.highestOneBit(needed - 1) << 1;
    }

    /** Entries of {@code records}. */
    int records() {
        return capacity * DIRECTIONS;
    }
}
