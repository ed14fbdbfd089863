// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import java.util.BitSet;

/** Which slots are taken. Gives out the lowest free one, so that sweeps stop early. Not thread-safe. */
final class Slots {
    private final BitSet taken;
    private final int capacity;
    /** No slot below this is free. */
    private int lowestFree;

    Slots(int capacity) {
        this.capacity = capacity;
        this.taken = new BitSet(capacity);
    }

    /** Takes the lowest free slot, or returns -1 when there is none. */
    int take() {
        int slot = taken.nextClearBit(lowestFree);
        if (slot >= capacity) {
            lowestFree = capacity;
            return -1;
        }
        take(slot);
        lowestFree = slot + 1;
        return slot;
    }

    /** Takes a slot that recovery found in use. */
    void take(int slot) {
        taken.set(slot);
    }

    void free(int slot) {
        taken.clear(slot);
        lowestFree = Math.min(lowestFree, slot);
    }

    /** One more than the highest taken slot. */
    int highWater() {
        return taken.length();
    }

    int taken() {
        return taken.cardinality();
    }
}
