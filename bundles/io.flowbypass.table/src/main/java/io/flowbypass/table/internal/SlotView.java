// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import io.flowbypass.flow.Direction;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowView;

/**
 * One slot after the other as a policy sees it: a copy of the hot words, taken once per slot, so that a decision sees
 * one state and the unlink can compare with it. Used by one thread, and invalid between two slots.
 */
final class SlotView implements FlowView {
    private final NativeTable table;
    private final Thread owner = Thread.currentThread();
    private long now = System.nanoTime();
    private int slot = -1;
    private int generation;
    private long packets0;
    private long packets1;
    private long lastSeen0;
    private long lastSeen1;
    private int seen0;
    private int seen1;

    SlotView(NativeTable table) {
        this.table = table;
    }

    void show(int number) {
        generation = table.generation(number);
        packets0 = table.packetCounter(number, 0);
        packets1 = table.packetCounter(number, 1);
        lastSeen0 = table.lastSeen(number, 0);
        lastSeen1 = table.lastSeen(number, 1);
        seen0 = table.seen(number, 0);
        seen1 = table.seen(number, 1);
        slot = number;
    }

    void hide() {
        slot = -1;
    }

    void refreshClock() {
        now = System.nanoTime();
    }

    boolean isReopened() {
        return ((seen0 | seen1) & Layout.SEEN_REOPENED) != 0;
    }

    /** Whether the slot still has the bypass that was shown. */
    boolean isSameBypass(int number) {
        return table.generation(number) == generation;
    }

    /** Whether nothing came since the slot was shown: a packet that is passed changes no counter, but flags or the time. */
    boolean isUnchanged(int number) {
        return table.packetCounter(number, 0) == packets0 && table.packetCounter(number, 1) == packets1
                && table.lastSeen(number, 0) == lastSeen0 && table.lastSeen(number, 1) == lastSeen1
                && table.seen(number, 0) == seen0 && table.seen(number, 1) == seen1;
    }

    private int slot() {
        if (slot < 0 || Thread.currentThread() != owner) {
            throw new IllegalStateException("a FlowView is valid inside decide() on its thread only:"
                    + " copy what you need before you return");
        }
        return slot;
    }

    /** The record of a direction: 0 or 1. */
    private int record(Direction direction) {
        int forward = table.forward(slot());
        return direction == Direction.FORWARD ? forward : 1 - forward;
    }

    @Override
    public int protocol() {
        return table.protocol(slot());
    }

    @Override
    public long idleNanos() {
        return Math.max(0, now - NativeTable.latest(table.added(slot()), NativeTable.latest(lastSeen0, lastSeen1)));
    }

    @Override
    public long idleErrorNanos() {
        slot();
        return 0;
    }

    @Override
    public long ageNanos() {
        return Math.max(0, now - table.added(slot()));
    }

    @Override
    public long packets(Direction direction) {
        return table.packets(slot(), record(direction));
    }

    @Override
    public long bytes(Direction direction) {
        return table.bytes(slot(), record(direction));
    }

    @Override
    public int tcpFlags(Direction direction) {
        int seen = record(direction) == 0 ? seen0 : seen1;
        return seen & Layout.SEEN_TCP_FLAGS;
    }

    @Override
    public long idleTimeoutNanos(long otherwise) {
        int millis = table.idleMillis(slot());
        return millis == 0 ? otherwise : millis * 1_000_000L;
    }

    @Override
    public FlowKey key() {
        return table.flowKey(slot());
    }
}
