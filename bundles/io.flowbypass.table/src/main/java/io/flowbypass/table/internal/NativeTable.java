// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import static io.flowbypass.table.internal.Layout.BUCKET_BYTES;
import static io.flowbypass.table.internal.Layout.BUCKET_ELSEWHERE;
import static io.flowbypass.table.internal.Layout.CELLS;
import static io.flowbypass.table.internal.Layout.CELL_BYTES;
import static io.flowbypass.table.internal.Layout.END_REASON_SHIFT;
import static io.flowbypass.table.internal.Layout.INFO_ADDR;
import static io.flowbypass.table.internal.Layout.INFO_ASKER;
import static io.flowbypass.table.internal.Layout.INFO_BASE_BYTES;
import static io.flowbypass.table.internal.Layout.INFO_BASE_PACKETS;
import static io.flowbypass.table.internal.Layout.INFO_COOKIE;
import static io.flowbypass.table.internal.Layout.INFO_FORWARD;
import static io.flowbypass.table.internal.Layout.INFO_PORTS;
import static io.flowbypass.table.internal.Layout.INFO_PROTO;
import static io.flowbypass.table.internal.Layout.INFO_RULE;
import static io.flowbypass.table.internal.Layout.OFTEN;
import static io.flowbypass.table.internal.Layout.ORIGIN_SHIFT;
import static io.flowbypass.table.internal.Layout.PROTO_MASK;
import static io.flowbypass.table.internal.Layout.RECORD_ADDED;
import static io.flowbypass.table.internal.Layout.RECORD_ADDR;
import static io.flowbypass.table.internal.Layout.RECORD_BYTE_COUNT;
import static io.flowbypass.table.internal.Layout.RECORD_GENERATION;
import static io.flowbypass.table.internal.Layout.RECORD_IDLE_MS;
import static io.flowbypass.table.internal.Layout.RECORD_LAST_SEEN;
import static io.flowbypass.table.internal.Layout.RECORD_MATCH;
import static io.flowbypass.table.internal.Layout.RECORD_PACKETS;
import static io.flowbypass.table.internal.Layout.RECORD_PORTS;
import static io.flowbypass.table.internal.Layout.RECORD_SEEN;
import static io.flowbypass.table.internal.Layout.SEEN_TCP_FLAGS;
import static io.flowbypass.table.internal.Layout.STATE_SHIFT;

import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.CutAction;
import io.flowbypass.flow.DirectionCounts;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowState;
import io.flowbypass.flow.Origin;
import io.flowbypass.maps.Mapping;
import java.nio.charset.StandardCharsets;
import java.time.Instant;

/**
 * The memory shared with XDP, as slots. Knows the order of stores that makes a crash at any point recoverable; knows
 * nothing of locks, listeners or policies.
 *
 * <p>Changes are made by one thread at a time, and every call inside the mappings' gate; both is the caller's concern.
 */
final class NativeTable {
    private final Mapping index;
    private final Mapping records;
    private final Mapping info;
    private final long[] seeds;
    private final int buckets;
    private final int capacity;
    private final TableKey scratch = new TableKey();

    NativeTable(Mapping index, Mapping records, Mapping info, long[] seeds) {
        this.index = index;
        this.records = records;
        this.info = info;
        this.seeds = seeds.clone();
        this.buckets = (int) (index.size() / BUCKET_BYTES);
        this.capacity = (int) (records.size() / (2 * Layout.RECORD_BYTES));
    }

    int capacity() {
        return capacity;
    }

    // Cells.

    /** The slot of a LIVE flow, or -1. */
    int find(TableKey key) {
        long hash = key.hash(seeds[0]);
        int tag = TableKey.tag(hash);
        int first = TableKey.bucket1(hash, buckets);
        int slot = findIn(first, tag, key);
        return slot >= 0 || elsewhere(first) == 0 ? slot : findIn(TableKey.bucket2(hash, buckets), tag, key);
    }

    private long elsewhere(int bucket) {
        return index.getLongVolatile(bucket * BUCKET_BYTES + BUCKET_ELSEWHERE);
    }

    private int findIn(int bucket, int tag, TableKey key) {
        for (int i = 0; i < CELLS; i++) {
            long cell = index.getLongVolatile(cell(bucket, i));
            int slot = (int) cell;
            if ((int) (cell >>> 32) == tag && slot >= 0 && slot < capacity && state(slot) == Layout.LIVE
                    && holds(slot, key)) {
                return slot;
            }
        }
        return -1;
    }

    private boolean holds(int slot, TableKey key) {
        int record = Layout.record(slot, 0);
        if (records.getLong(record + RECORD_PORTS) != key.ports
                || (records.getInt(record + RECORD_MATCH) & PROTO_MASK) != key.proto) {
            return false;
        }
        for (int i = 0; i < key.addr.length; i++) {
            if (info.getLong(Layout.info(slot) + INFO_ADDR + i * Long.BYTES) != key.addr[i]) {
                return false;
            }
        }
        return true;
    }

    /** A LIVE or CLAIMED slot other than this one with the same key, or -1. */
    int findOther(int slot, TableKey key) {
        long hash = key.hash(seeds[0]);
        int tag = TableKey.tag(hash);
        int other = findOtherIn(TableKey.bucket1(hash, buckets), tag, slot, key);
        return other >= 0 ? other : findOtherIn(TableKey.bucket2(hash, buckets), tag, slot, key);
    }

    private int findOtherIn(int bucket, int tag, int slot, TableKey key) {
        for (int i = 0; i < CELLS; i++) {
            long cell = index.getLongVolatile(cell(bucket, i));
            int other = (int) cell;
            if ((int) (cell >>> 32) == tag && other >= 0 && other < capacity && other != slot
                    && (state(other) == Layout.LIVE || state(other) == Layout.CLAIMED) && holds(other, key)) {
                return other;
            }
        }
        return -1;
    }

    /** Publishes a slot that was written: from here on XDP finds it. False when both buckets are full. */
    boolean publish(int slot, TableKey key) {
        long hash = key.hash(seeds[0]);
        int first = TableKey.bucket1(hash, buckets);
        int second = TableKey.bucket2(hash, buckets);
        long cell = (long) TableKey.tag(hash) << 32 | slot;
        int used = usedCells(first);
        return used >= OFTEN && usedCells(second) < used && publishElsewhere(first, second, cell)
                || swap(first, 0, cell) || publishElsewhere(first, second, cell);
    }

    /** Publishes a cell in the second bucket of its key; packets look there from before on. */
    private boolean publishElsewhere(int first, int second, long cell) {
        countElsewhere(first, 1);
        if (swap(second, 0, cell)) {
            return true;
        }
        countElsewhere(first, -1);
        return false;
    }

    private void countElsewhere(int bucket, int change) {
        index.getAndAddLong(bucket * BUCKET_BYTES + BUCKET_ELSEWHERE, change);
    }

    /** Takes a slot's cell out of the index: no packet finds it any more, but a running program may still hold it. */
    void unpublish(int slot) {
        readKey(slot, scratch);
        long hash = scratch.hash(seeds[0]);
        long cell = (long) TableKey.tag(hash) << 32 | slot;
        int first = TableKey.bucket1(hash, buckets);
        if (!swap(first, cell, 0) && swap(TableKey.bucket2(hash, buckets), cell, 0)) {
            countElsewhere(first, -1);
        }
    }

    /** Counts anew which keys sit in their second bucket; while nobody else publishes. */
    void recountElsewhere() {
        int[] counts = new int[buckets];
        for (int number = 0; number < cells(); number++) {
            long cell = cellAt(number);
            if (cell != 0) {
                readKey((int) cell, scratch);
                int first = TableKey.bucket1(scratch.hash(seeds[0]), buckets);
                if (first != number / CELLS) {
                    counts[first]++;
                }
            }
        }
        for (int bucket = 0; bucket < buckets; bucket++) {
            index.setLongRelease(bucket * BUCKET_BYTES + BUCKET_ELSEWHERE, counts[bucket]);
        }
    }

    private int usedCells(int bucket) {
        int used = 0;
        for (int i = 0; i < CELLS; i++) {
            if (index.getLongVolatile(cell(bucket, i)) != 0) {
                used++;
            }
        }
        return used;
    }

    private boolean swap(int bucket, long expected, long value) {
        for (int i = 0; i < CELLS; i++) {
            if (index.compareAndSetLong(cell(bucket, i), expected, value)) {
                return true;
            }
        }
        return false;
    }

    private static int cell(int bucket, int number) {
        return bucket * BUCKET_BYTES + number * CELL_BYTES;
    }

    /** Number of cells, for {@link #cellAt}. */
    int cells() {
        return buckets * CELLS;
    }

    /** A cell by its number; 0 when empty. */
    long cellAt(int number) {
        return index.getLongVolatile(cell(number / CELLS, number % CELLS));
    }

    /** Empties a cell by its number. */
    void clearCellAt(int number) {
        index.setLongRelease(cell(number / CELLS, number % CELLS), 0);
    }

    // A slot's life.

    /** Writes a flow into a FREE slot and makes it CLAIMED: once published and made LIVE, it is cut. */
    void write(int slot, TableKey key, int forward, BypassRequest request, long nowNanos) {
        int cold = Layout.info(slot);
        int generation = records.getInt(Layout.record(slot, 0) + RECORD_GENERATION) + 1;
        for (int i = 0; i < key.addr.length; i++) {
            info.setLong(cold + INFO_ADDR + i * Long.BYTES, key.addr[i]);
        }
        info.setLong(cold + INFO_PORTS, key.ports);
        info.setInt(cold + INFO_PROTO, key.proto);
        info.setInt(cold + INFO_FORWARD, forward | request.origin().code() << ORIGIN_SHIFT);
        settle(slot);
        putText(cold + INFO_ASKER, BypassRequest.MAX_NAME_BYTES, request.asker());
        putText(cold + INFO_RULE, BypassRequest.MAX_NAME_BYTES, request.rule());
        putText(cold + INFO_COOKIE, BypassRequest.MAX_COOKIE_BYTES, request.cookie());
        long addr = key.recordAddr(seeds[1]);
        int match = key.proto | Layout.CLAIMED << STATE_SHIFT | request.action().code() << Layout.ACTION_SHIFT
                | (request.passControl() ? Layout.PASS_CONTROL : 0) | request.redirectPort() << Layout.PORT_SHIFT;
        // Record 0 carries the state that recovery reads: it is written last.
        for (int direction = 1; direction >= 0; direction--) {
            int record = Layout.record(slot, direction);
            records.getAndSetInt(record + RECORD_SEEN, 0);
            records.setInt(record + RECORD_IDLE_MS, (int) request.idleTimeout().toMillis());
            records.setLong(record + RECORD_ADDR, addr);
            records.setLong(record + RECORD_PORTS, key.ports);
            records.setInt(record + RECORD_GENERATION, generation);
            records.setLong(record + RECORD_ADDED, nowNanos);
            records.setIntVolatile(record + RECORD_MATCH, match);
        }
    }

    /** CLAIMED to LIVE; LIVE to CLOSING, or back. XDP cuts the packets of a LIVE flow and passes those of a CLOSING one. */
    void setState(int slot, int state) {
        boolean firstRecordFirst = state == Layout.CLOSING || state == Layout.HARVESTED;
        setState(slot, firstRecordFirst ? 0 : 1, state);
        setState(slot, firstRecordFirst ? 1 : 0, state);
    }

    private void setState(int slot, int direction, int state) {
        int match = Layout.record(slot, direction) + RECORD_MATCH;
        int others = records.getInt(match) & ~(Layout.STATE_MASK << STATE_SHIFT);
        records.setIntVolatile(match, others | state << STATE_SHIFT);
    }

    /** Stores why a slot ends, before it turns CLOSING. */
    void setEndReason(int slot, EndReason reason) {
        int word = Layout.info(slot) + INFO_FORWARD;
        int others = info.getInt(word) & ~(0xff << END_REASON_SHIFT);
        info.setIntRelease(word, others | reason.code() << END_REASON_SHIFT);
    }

    /** To FREE. Counters are never set back: the base moves up to them. */
    void free(int slot) {
        setState(slot, Layout.HARVESTED);
        settle(slot);
        setState(slot, Layout.FREE);
    }

    private void settle(int slot) {
        for (int direction = 0; direction < 2; direction++) {
            int at = Layout.info(slot) + direction * Long.BYTES;
            info.setLong(at + INFO_BASE_PACKETS, counter(slot, direction, RECORD_PACKETS));
            info.setLong(at + INFO_BASE_BYTES, counter(slot, direction, RECORD_BYTE_COUNT));
        }
    }

    // Reading a slot.

    /** The records themselves, for who reads all of them. */
    Mapping records() {
        return records;
    }

    int state(int slot) {
        return state(slot, 0);
    }

    /** Whether one of its records says LIVE: a crash may have come between the two stores. */
    boolean isLiveInPart(int slot) {
        return state(slot, 0) == Layout.LIVE || state(slot, 1) == Layout.LIVE;
    }

    private int state(int slot, int direction) {
        return records.getIntVolatile(Layout.record(slot, direction) + RECORD_MATCH) >>> STATE_SHIFT & Layout.STATE_MASK;
    }

    int generation(int slot) {
        return records.getInt(Layout.record(slot, 0) + RECORD_GENERATION);
    }

    boolean isReopened(int slot) {
        return ((seen(slot, 0) | seen(slot, 1)) & Layout.SEEN_REOPENED) != 0;
    }

    /** TCP flags and marks of a record. */
    int seen(int slot, int direction) {
        return records.getIntVolatile(Layout.record(slot, direction) + RECORD_SEEN);
    }

    /** Packets that a record ever counted, over all flows that had its slot. */
    long packetCounter(int slot, int direction) {
        return counter(slot, direction, RECORD_PACKETS);
    }

    /** Packets that the records of the first slots ever counted. */
    long packetsEverCut(int slots) {
        long sum = 0;
        for (int slot = 0; slot < slots; slot++) {
            sum += packetCounter(slot, 0) + packetCounter(slot, 1);
        }
        return sum;
    }

    long lastSeen(int slot, int direction) {
        return records.getLong(Layout.record(slot, direction) + RECORD_LAST_SEEN);
    }

    long added(int slot) {
        return records.getLong(Layout.record(slot, 0) + RECORD_ADDED);
    }

    private CutAction action(int slot) {
        return CutAction.ofCode(records.getInt(Layout.record(slot, 0) + RECORD_MATCH) >>> Layout.ACTION_SHIFT
                & Layout.ACTION_MASK);
    }

    /** The record that counts the asker's direction: 0 or 1. */
    int forward(int slot) {
        return info.getInt(Layout.info(slot) + INFO_FORWARD) & 1;
    }

    EndReason endReason(int slot) {
        return EndReason.ofCode(info.getInt(Layout.info(slot) + INFO_FORWARD) >>> END_REASON_SHIFT & 0xff);
    }

    long packets(int slot, int direction) {
        return counter(slot, direction, RECORD_PACKETS) - basePackets(slot, direction);
    }

    /** The packets that a record had counted before its flow. */
    long basePackets(int slot, int direction) {
        return info.getLong(Layout.info(slot) + INFO_BASE_PACKETS + direction * Long.BYTES);
    }

    long bytes(int slot, int direction) {
        return counter(slot, direction, RECORD_BYTE_COUNT)
                - info.getLong(Layout.info(slot) + INFO_BASE_BYTES + direction * Long.BYTES);
    }

    private long counter(int slot, int direction, int which) {
        return records.getLongVolatile(Layout.record(slot, direction) + which);
    }

    /** The key, in the asker's direction. Allocates. */
    FlowKey flowKey(int slot) {
        TableKey key = new TableKey();
        readKey(slot, key);
        return key.toFlowKey(forward(slot));
    }

    private void readKey(int slot, TableKey into) {
        int cold = Layout.info(slot);
        for (int i = 0; i < into.addr.length; i++) {
            into.addr[i] = info.getLong(cold + INFO_ADDR + i * Long.BYTES);
        }
        into.ports = info.getLong(cold + INFO_PORTS);
        into.proto = info.getInt(cold + INFO_PROTO);
    }

    /** The flow as it is now. Allocates. */
    FlowState flowState(int slot) {
        int cold = Layout.info(slot);
        int forward = forward(slot);
        long nowNanos = System.nanoTime();
        Instant now = Instant.now();
        long added = added(slot);
        return new FlowState(flowKey(slot), counts(slot, forward), counts(slot, 1 - forward),
                now.minusNanos(Math.max(0, nowNanos - added)),
                now.minusNanos(Math.max(0, nowNanos - latest(latest(added, lastSeen(slot, 0)), lastSeen(slot, 1)))),
                action(slot), origin(slot), text(cold + INFO_ASKER, BypassRequest.MAX_NAME_BYTES),
                text(cold + INFO_RULE, BypassRequest.MAX_NAME_BYTES),
                text(cold + INFO_COOKIE, BypassRequest.MAX_COOKIE_BYTES));
    }

    /** Who asked for its flow. */
    Origin origin(int slot) {
        return Origin.ofCode(info.getInt(Layout.info(slot) + INFO_FORWARD) >>> ORIGIN_SHIFT & 0xff);
    }

    private DirectionCounts counts(int slot, int direction) {
        return new DirectionCounts(packets(slot, direction), bytes(slot, direction),
                seen(slot, direction) & SEEN_TCP_FLAGS);
    }

    /**
     * The later of two times of the monotonic clock, whose difference is signed. Without a branch: which direction spoke last is
     * anybody's guess, and the processor's, too.
     */
    static long latest(long one, long other) {
        long later = one - other;
        return other + (later & ~(later >> Long.SIZE - 1));
    }

    private void putText(int at, int length, String text) {
        if (text.isEmpty()) {
            for (int i = 0; i < length; i += Long.BYTES) {
                info.setLong(at + i, 0);
            }
        } else {
            byte[] padded = new byte[length];
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            System.arraycopy(bytes, 0, padded, 0, bytes.length);
            info.put(at, padded);
        }
    }

    private String text(int at, int length) {
        byte[] bytes = new byte[length];
        info.get(at, bytes);
        return text(bytes);
    }

    /** Text that ends with the bytes or before a 0. */
    static String text(byte[] bytes) {
        int end = 0;
        while (end < bytes.length && bytes[end] != 0) {
            end++;
        }
        return new String(bytes, 0, end, StandardCharsets.UTF_8);
    }
}
