// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import io.flowbypass.maps.ElementQueue;
import java.util.BitSet;
import java.util.Optional;
import java.util.function.IntConsumer;

/**
 * Free slots that are lent to XDP for automatic cut-off. A slot is lent from the moment that XDP may take it until it is
 * known what became of it: it was taken back, or it is LIVE. Not thread-safe.
 */
final class Reserve {
    private final ElementQueue<Integer> queue;
    private final BitSet lent = new BitSet();

    Reserve(ElementQueue<Integer> queue) {
        this.queue = queue;
    }

    /** Lends a slot, or throws what the kernel says: then it is not lent. */
    void lend(int slot) {
        queue.push(slot);
        lent.set(slot);
    }

    int lent() {
        return lent.cardinality();
    }

    /** The first lent slot from this one on, or -1. */
    int next(int slot) {
        return lent.nextSetBit(slot);
    }

    /** Ends the loan of a slot that XDP took; false when it was not lent. */
    boolean settle(int slot) {
        boolean was = lent.get(slot);
        lent.clear(slot);
        return was;
    }

    /** Takes back what XDP did not take. */
    void reclaim(IntConsumer free) {
        for (Optional<Integer> slot = queue.pop(); slot.isPresent(); slot = queue.pop()) {
            lent.clear(slot.get());
            free.accept(slot.get());
        }
    }
}
