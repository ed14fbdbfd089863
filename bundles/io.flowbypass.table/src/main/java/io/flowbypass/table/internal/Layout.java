// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

/** Offsets and codes of {@code bpf/flowbypass.h}, which draws and explains them; a test compares both. */
final class Layout {
    static final int CELL_BYTES = 8;
    static final int CELLS = 7;
    static final int BUCKET_BYTES = 64;
    static final int BUCKET_ELSEWHERE = 56;
    /** Cells of a key's first bucket that are used before its second one is thought of. */
    static final int OFTEN = 5;

    static final int RECORD_BYTES = 64;
    static final int RECORD_LAST_SEEN = 0;
    static final int RECORD_PACKETS = 8;
    static final int RECORD_BYTE_COUNT = 16;
    static final int RECORD_SEEN = 24;
    static final int RECORD_IDLE_MS = 28;
    static final int RECORD_ADDR = 32;
    static final int RECORD_PORTS = 40;
    static final int RECORD_MATCH = 48;
    static final int RECORD_GENERATION = 52;
    static final int RECORD_ADDED = 56;

    static final int INFO_BYTES = 144;
    static final int INFO_ADDR = 0;
    static final int INFO_PORTS = 32;
    static final int INFO_PROTO = 40;
    static final int INFO_FORWARD = 44;
    static final int INFO_BASE_PACKETS = 48;
    static final int INFO_BASE_BYTES = 64;
    static final int INFO_ASKER = 80;
    static final int INFO_RULE = 96;
    static final int INFO_COOKIE = 112;

    /** The word at {@link #INFO_FORWARD} packs forward, origin and end reason, a byte each. */
    static final int ORIGIN_SHIFT = 8;
    static final int END_REASON_SHIFT = 16;

    static final int STATE_SHIFT = 16;
    static final int STATE_MASK = 0xff;
    static final int PROTO_MASK = 0xffff;
    /** Of these, the protocol without the family. */
    static final int PROTOCOL_MASK = 0xff;
    static final int FREE = 0;
    static final int LIVE = 1;
    static final int CLOSING = 2;
    static final int HARVESTED = 3;
    static final int CLAIMED = 4;

    /** {@code fb_record.match}, above protocol, family and state. */
    static final int ACTION_SHIFT = 24;
    static final int ACTION_MASK = 3;
    static final int PASS_CONTROL = 1 << 26;
    static final int PORT_SHIFT = 27;

    static final int NEVER_BYTES = 40;
    static final int NEVER_ADDR = 0;
    static final int NEVER_MASK = 16;
    /** The word at this place packs port (network byte order), protocol and family. */
    static final int NEVER_PORT = 32;
    static final int NEVER_PROTO_SHIFT = 16;
    static final int NEVER_FAMILY_SHIFT = 24;
    /** Entries of one list. */
    static final int NEVER = 1024;
    /** Slots lent to XDP at most. */
    static final int RESERVE = 1024;

    static final int SEEN_TCP_FLAGS = 0xff;
    static final int SEEN_REOPENED = 0x100;

    private Layout() {
    }

    /** Offset of a slot's record; direction is 0 or 1. */
    static int record(int slot, int direction) {
        return (slot * 2 + direction) * RECORD_BYTES;
    }

    static int info(int slot) {
        return slot * INFO_BYTES;
    }
}
