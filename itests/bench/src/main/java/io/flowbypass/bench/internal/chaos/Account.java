// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal.chaos;

import io.flowbypass.flow.EndReason;
import java.util.EnumMap;
import java.util.Map;

/**
 * What the records of one table say of each flow, repeated ones taken once, and how that differs from what the generator
 * counted. Not thread-safe.
 */
final class Account {
    private final long[] packets;
    private final long[] bytes;
    private final Message[] lastOfSlot;
    private final Map<EndReason, Long> ended = new EnumMap<>(EndReason.class);
    private long repeated;
    private String contradiction = "";

    /** Of so many flows in a table of that capacity. */
    Account(int flows, int capacity) {
        packets = new long[2 * flows];
        bytes = new long[2 * flows];
        lastOfSlot = new Message[capacity];
    }

    /** Adds what a record says, unless the same record came before. */
    void add(Message record) {
        Message last = lastOfSlot[record.slot()];
        int order = last == null ? 1 : Integer.compareUnsigned(record.generation(), last.generation());
        if (order == 0 && record.equals(last)) {
            repeated++;
            return;
        }
        if (order <= 0) {
            contradiction = record + " came after " + last;
            return;
        }
        lastOfSlot[record.slot()] = record;
        ended.merge(EndReason.ofCode((int) record.e()), 1L, Long::sum);
        add(record.flow(), 0, record.a(), record.c());
        add(record.flow(), 1, record.b(), record.d());
    }

    /** Adds what was read of a flow: direction 0 from its source, 1 to it. */
    void add(int flow, int direction, long morePackets, long moreBytes) {
        packets[2 * flow + direction] += morePackets;
        bytes[2 * flow + direction] += moreBytes;
    }

    /**
     * How what was counted differs from what the generator saw dropped.
     *
     * @param lost packets of flows that were counted too low
     * @param wrong packets of flows that were counted too high: they are other flows'
     * @param flowsOff flows with a direction of which the packets or the bytes are not exact
     */
    record Difference(long lost, long wrong, long flowsOff) {
    }

    /** Compares with the packets that were dropped, two numbers for each flow. */
    Difference compare(long[] dropped) {
        long lost = 0;
        long wrong = 0;
        long off = 0;
        for (int flow = 0; flow < packets.length / 2; flow++) {
            boolean exact = true;
            for (int i = 2 * flow; i < 2 * flow + 2; i++) {
                lost += Math.max(0, dropped[i] - packets[i]);
                wrong += Math.max(0, packets[i] - dropped[i]);
                exact &= dropped[i] == packets[i] && bytes[i] == dropped[i] * Numbered.length(flow);
            }
            off += exact ? 0 : 1;
        }
        return new Difference(lost, wrong, off);
    }

    long ended(EndReason reason) {
        return ended.getOrDefault(reason, 0L);
    }

    long records() {
        return ended.values().stream().mapToLong(Long::longValue).sum();
    }

    /** Records that came again. */
    long repeated() {
        return repeated;
    }

    /** Two records of which at least one is wrong; empty when there are none. */
    String contradiction() {
        return contradiction;
    }
}
