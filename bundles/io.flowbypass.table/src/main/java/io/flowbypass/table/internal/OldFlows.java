// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import io.flowbypass.flow.CutAction;
import io.flowbypass.flow.DirectionCounts;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowState;
import io.flowbypass.flow.Origin;
import io.flowbypass.maps.Gate;
import io.flowbypass.maps.Mapping;
import io.flowbypass.xdp.OldTable;
import io.flowbypass.xdp.OldTable.Member;
import java.time.Instant;
import java.util.Optional;

/** The flows of a table that was moved aside, wherever things lie in its memory. Used inside the gate. */
final class OldFlows {
    private static final String DETAIL = "migrated";

    private final OldTable table;
    private final Mapping records;
    private final Mapping info;
    private final int capacity;
    private final int recordBytes;
    private final int infoBytes;

    /** Maps its memory, behind that gate. */
    OldFlows(OldTable table, Gate gate) {
        this.table = table;
        this.records = table.records().map(gate);
        this.info = table.info().map(gate);
        this.capacity = (int) table.info().info().capacity();
        this.recordBytes = (int) (records.size() / (2 * capacity));
        this.infoBytes = (int) (info.size() / capacity);
    }

    /** Slots. */
    int capacity() {
        return capacity;
    }

    /** The record of a slot whose bypass was not over. Its counters must be final; each time it has the same id. */
    Optional<FlowRecord> record(int slot) {
        EndReason reason = switch (state(slot, 0)) {
            case Layout.LIVE -> EndReason.RECOVERED;
            case Layout.CLOSING -> EndReason.ofCode(infoByte(slot, Member.END_REASON));
            // Whoever made it LIVE was interrupted.
            case Layout.CLAIMED -> state(slot, 1) == Layout.LIVE ? EndReason.RECOVERED : null;
            default -> null;
        };
        return Optional.ofNullable(reason).map(why -> new FlowRecord(id(slot), flow(slot), why, DETAIL));
    }

    private String id(int slot) {
        return NativeFlowTable.id(table.tableId(), slot, records.getInt(inRecord(slot, 0, Member.GENERATION)));
    }

    private FlowState flow(int slot) {
        int forward = infoByte(slot, Member.FORWARD) & 1;
        long nowNanos = System.nanoTime();
        Instant now = Instant.now();
        long added = records.getLong(inRecord(slot, 0, Member.ADDED));
        long last = NativeTable.latest(NativeTable.latest(added, lastSeen(slot, 0)), lastSeen(slot, 1));
        int action = records.getInt(inRecord(slot, 0, Member.MATCH)) >>> Layout.ACTION_SHIFT & Layout.ACTION_MASK;
        return new FlowState(key(slot).toFlowKey(forward), counts(slot, forward), counts(slot, 1 - forward),
                now.minusNanos(Math.max(0, nowNanos - added)), now.minusNanos(Math.max(0, nowNanos - last)),
                CutAction.ofCode(action), Origin.ofCode(infoByte(slot, Member.ORIGIN)), text(slot, Member.ASKER),
                text(slot, Member.RULE), text(slot, Member.COOKIE));
    }

    private TableKey key(int slot) {
        TableKey key = new TableKey();
        for (int i = 0; i < key.addr.length; i++) {
            key.addr[i] = info.getLong(inInfo(slot, Member.ADDR) + i * Long.BYTES);
        }
        key.ports = info.getLong(inInfo(slot, Member.PORTS));
        key.proto = info.getInt(inInfo(slot, Member.PROTO));
        return key;
    }

    private DirectionCounts counts(int slot, int direction) {
        int base = direction * Long.BYTES;
        long packets = records.getLong(inRecord(slot, direction, Member.PACKETS));
        long bytes = records.getLong(inRecord(slot, direction, Member.BYTES));
        return new DirectionCounts(packets - info.getLong(inInfo(slot, Member.BASE_PACKETS) + base),
                bytes - info.getLong(inInfo(slot, Member.BASE_BYTES) + base),
                records.getInt(inRecord(slot, direction, Member.SEEN)) & Layout.SEEN_TCP_FLAGS);
    }

    private int state(int slot, int direction) {
        return records.getInt(inRecord(slot, direction, Member.MATCH)) >>> Layout.STATE_SHIFT & Layout.STATE_MASK;
    }

    private long lastSeen(int slot, int direction) {
        return records.getLong(inRecord(slot, direction, Member.LAST_SEEN));
    }

    private int infoByte(int slot, Member member) {
        byte[] one = new byte[1];
        info.get(inInfo(slot, member), one);
        return Byte.toUnsignedInt(one[0]);
    }

    private String text(int slot, Member member) {
        byte[] padded = new byte[table.size(member)];
        info.get(inInfo(slot, member), padded);
        return NativeTable.text(padded);
    }

    private int inRecord(int slot, int direction, Member member) {
        return (slot * 2 + direction) * recordBytes + table.offset(member);
    }

    private int inInfo(int slot, Member member) {
        return slot * infoBytes + table.offset(member);
    }
}
