// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import io.flowbypass.flow.Direction;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowView;
import io.flowbypass.maps.Mapping;
import java.lang.invoke.VarHandle;

/**
 * One slot after the other as a policy sees it: a copy of the hot words, taken once per slot, so that a decision sees
 * one state and the unlink can compare with it. Used by one thread, and invalid between two slots.
 */
final class SlotView implements FlowView {
    /** Words of a record. */
    private static final int LAST_SEEN = Layout.RECORD_LAST_SEEN / Long.BYTES;
    private static final int PACKETS = Layout.RECORD_PACKETS / Long.BYTES;
    private static final int SEEN_AND_IDLE = Layout.RECORD_SEEN / Long.BYTES;
    private static final int MATCH_AND_GENERATION = Layout.RECORD_MATCH / Long.BYTES;
    private static final int ADDED = Layout.RECORD_ADDED / Long.BYTES;

    private final NativeTable table;
    private final Mapping records;
    private final Thread owner = Thread.currentThread();
    private long now = System.nanoTime();
    private int slot = -1;
    private int generation;
    private int match;
    private int idleMillis;
    private long added;
    private long packets0;
    private long packets1;
    private long lastSeen0;
    private long lastSeen1;
    private int seen0;
    private int seen1;

    SlotView(NativeTable table) {
        this.table = table;
        this.records = table.records();
    }

    /**
     * Shows a slot, and says whether it is LIVE; one that is not must not be used. Nothing that is read is older than that. It is
     * read by words, two members of a record in some, and in no order: whether all of it still holds is asked before a flow ends.
     */
    boolean show(int number) {
        int word0 = Layout.record(number, 0) / Long.BYTES;
        int word1 = Layout.record(number, 1) / Long.BYTES;
        long matchAndGeneration = records.getWord(word0 + MATCH_AND_GENERATION);
        match = (int) matchAndGeneration;
        if ((match >>> Layout.STATE_SHIFT & Layout.STATE_MASK) != Layout.LIVE) {
            return false;
        }
        VarHandle.loadLoadFence();
        generation = (int) (matchAndGeneration >>> Integer.SIZE);
        long seenAndIdle = records.getWord(word0 + SEEN_AND_IDLE);
        seen0 = (int) seenAndIdle;
        idleMillis = (int) (seenAndIdle >>> Integer.SIZE);
        seen1 = (int) records.getWord(word1 + SEEN_AND_IDLE);
        lastSeen0 = records.getWord(word0 + LAST_SEEN);
        lastSeen1 = records.getWord(word1 + LAST_SEEN);
        packets0 = records.getWord(word0 + PACKETS);
        packets1 = records.getWord(word1 + PACKETS);
        added = records.getWord(word0 + ADDED);
        slot = number;
        return true;
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

    /** The record of a direction: 0 or 1. Reads the cold part of the slot. */
    private int record(Direction direction) {
        int forward = table.forward(slot());
        return direction == Direction.FORWARD ? forward : 1 - forward;
    }

    @Override
    public int protocol() {
        slot();
        return match & Layout.PROTOCOL_MASK;
    }

    @Override
    public long idleNanos() {
        slot();
        return Math.max(0, now - NativeTable.latest(added, NativeTable.latest(lastSeen0, lastSeen1)));
    }

    @Override
    public long idleErrorNanos() {
        slot();
        return 0;
    }

    @Override
    public long ageNanos() {
        slot();
        return Math.max(0, now - added);
    }

    @Override
    public long packets(Direction direction) {
        int record = record(direction);
        return (record == 0 ? packets0 : packets1) - table.basePackets(slot, record);
    }

    @Override
    public long bytes(Direction direction) {
        return table.bytes(slot(), record(direction));
    }

    @Override
    public int tcpFlags(Direction direction) {
        slot();
        // Mostly both directions have had the same ones, and which is which need not be looked up.
        boolean same = ((seen0 ^ seen1) & Layout.SEEN_TCP_FLAGS) == 0;
        return (same || record(direction) == 0 ? seen0 : seen1) & Layout.SEEN_TCP_FLAGS;
    }

    @Override
    public long idleTimeoutNanos(long otherwise) {
        slot();
        return idleMillis == 0 ? otherwise : idleMillis * 1_000_000L;
    }

    @Override
    public FlowKey key() {
        return table.flowKey(slot());
    }
}
