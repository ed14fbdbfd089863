// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.Origin;
import java.util.BitSet;
import java.util.function.IntConsumer;

/** Finds out, once no program runs that began before, in which step of its life each slot was left. */
final class Recovery {
    private final NativeTable table;
    private final Slots slots;
    /** By the ordinals of {@link Origin}. */
    private final int[] live = new int[Origin.values().length];
    private int closing;
    private int touched;

    Recovery(NativeTable table, Slots slots) {
        this.table = table;
        this.slots = slots;
    }

    /**
     * Adopts every slot.
     *
     * @param close receives each slot that has to be harvested; it is CLOSING and has no cell
     */
    void run(IntConsumer close) {
        BitSet published = publishedSlots();
        table.recountElsewhere();
        for (int slot = 0; slot < table.capacity(); slot++) {
            if (table.generation(slot) != 0) {
                touched = slot + 1;
            }
            switch (table.state(slot)) {
                case Layout.LIVE -> adoptLive(slot, published.get(slot), close);
                case Layout.CLOSING -> {
                    slots.take(slot);
                    resume(slot, close);
                }
                case Layout.CLAIMED -> forget(slot, close);
                case Layout.HARVESTED -> table.free(slot);
                default -> { }
            }
        }
    }

    /** Slots that a cell names. A cell that names no slot in use is emptied. */
    private BitSet publishedSlots() {
        BitSet published = new BitSet(table.capacity());
        for (int number = 0; number < table.cells(); number++) {
            long cell = table.cellAt(number);
            if (cell == 0) {
                continue;
            }
            int slot = (int) cell;
            if (slot < 0 || slot >= table.capacity()
                    || table.state(slot) != Layout.LIVE && table.state(slot) != Layout.CLOSING) {
                table.clearCellAt(number);
            } else {
                published.set(slot);
            }
        }
        return published;
    }

    private void adoptLive(int slot, boolean isPublished, IntConsumer close) {
        if (isPublished) {
            slots.take(slot);
            live[table.origin(slot).ordinal()]++;
        } else if (table.packets(slot, 0) == 0 && table.packets(slot, 1) == 0) {
            table.free(slot);
        } else {
            end(slot, close);
        }
    }

    /** The store that makes it LIVE in one direction may have come, and not the other: XDP cuts by it, and may be at it. */
    private void forget(int slot, IntConsumer close) {
        if (table.isLiveInPart(slot)) {
            end(slot, close);
        } else {
            table.free(slot);
        }
    }

    private void end(int slot, IntConsumer close) {
        slots.take(slot);
        table.setEndReason(slot, EndReason.RECOVERED);
        table.setState(slot, Layout.CLOSING);
        resume(slot, close);
    }

    private void resume(int slot, IntConsumer close) {
        closing++;
        table.unpublish(slot);
        close.accept(slot);
    }

    /** Flows that are bypassed, and were asked for by that kind of tool. */
    int live(Origin origin) {
        return live[origin.ordinal()];
    }

    /** Flows that were found half taken out. */
    int closing() {
        return closing;
    }

    /** One more than the highest slot that was ever used. */
    int touched() {
        return touched;
    }
}
