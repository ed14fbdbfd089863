// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.classic.internal;

import io.flowbypass.flow.CutAction;
import io.flowbypass.flow.Direction;
import io.flowbypass.flow.DirectionCounts;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowState;
import io.flowbypass.flow.FlowView;
import java.nio.ByteBuffer;
import java.time.Instant;

/** One entry after the other, as a policy sees it. Used by one thread, and invalid between two entries. */
final class EntryView implements FlowView {
    private static final String RULE = "classic";

    private final Dialect dialect;
    private final Memory memory;
    private final Counts counts = new Counts();
    private Thread owner;
    private long now;
    private ByteBuffer keys;
    private int keyAt;
    /** Null where the value itself says when the last packet came. */
    private Memory.Known known;

    /** Of one table; the memory is that of its flows. */
    EntryView(Dialect dialect, Memory memory) {
        this.dialect = dialect;
        this.memory = memory;
    }

    /** Shows one; where its packets are not counted, because all are passed, nothing says that it is idle. */
    void show(ByteBuffer shownKeys, int atKey, ByteBuffer values, int atValue, long nowNanos, boolean paused) {
        owner = Thread.currentThread();
        now = nowNanos;
        dialect.read(values, atValue, counts);
        keyAt = atKey;
        keys = shownKeys;
        known = counts.time == 0 ? memory.note(dialect.key(shownKeys, atKey), counts.allPackets(), nowNanos, paused)
                : null;
    }

    void hide() {
        keys = null;
    }

    Counts counts() {
        return counts;
    }

    private ByteBuffer keys() {
        if (keys == null || Thread.currentThread() != owner) {
            throw new IllegalStateException("a FlowView is valid inside decide() on its thread only:"
                    + " copy what you need before you return");
        }
        return keys;
    }

    @Override
    public int protocol() {
        return dialect.protocol(keys(), keyAt);
    }

    @Override
    public long idleNanos() {
        keys();
        return Math.max(0, now - (known == null ? counts.time : known.changed()));
    }

    @Override
    public long idleErrorNanos() {
        keys();
        return known == null ? 0 : known.error();
    }

    @Override
    public long ageNanos() {
        keys();
        return Math.max(0, now - (known == null ? counts.time : known.first()));
    }

    @Override
    public long packets(Direction direction) {
        keys();
        return direction == Direction.FORWARD ? counts.packets : counts.packetsBack;
    }

    @Override
    public long bytes(Direction direction) {
        keys();
        return direction == Direction.FORWARD ? counts.bytes : counts.bytesBack;
    }

    @Override
    public int tcpFlags(Direction direction) {
        keys();
        return 0;
    }

    @Override
    public long idleTimeoutNanos(long otherwise) {
        keys();
        return otherwise;
    }

    @Override
    public FlowKey key() {
        return dialect.key(keys(), keyAt);
    }

    /** The flow as it is shown, marked as one of another tool's table. */
    FlowState state() {
        Instant wall = Instant.now();
        return new FlowState(key(), new DirectionCounts(counts.packets, counts.bytes, 0),
                new DirectionCounts(counts.packetsBack, counts.bytesBack, 0), wall.minusNanos(ageNanos()),
                wall.minusNanos(idleNanos()), CutAction.DROP, dialect.origin(), dialect.toString(), RULE, "");
    }

    /** The same flow, with its last counts. */
    static FlowState withCounts(FlowState shown, Counts last) {
        return new FlowState(shown.key(), new DirectionCounts(last.packets, last.bytes, 0),
                new DirectionCounts(last.packetsBack, last.bytesBack, 0), shown.firstSeen(), shown.lastSeen(), shown.action(),
                shown.origin(), shown.asker(), shown.rule(), shown.cookie());
    }
}
