// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal.chaos;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What a Flowbypass under load tells the scenario over a socket: 64 bytes each, in the byte order of the machine. What it has
 * sent is not lost when it is killed.
 *
 * <pre>
 *            0      4      8       12      16        24        32        40        48         56        64
 *            +------+------+-------+-------+---------+---------+---------+---------+----------+---------+
 *   RECORD   | kind | flow | slot  | gen.  | packets | packets | bytes   | bytes   | reason   |         |
 *            |      |      |       |       | from src| to src  | from src| to src  |          |         |
 *            +------+------+-------+-------+---------+---------+---------+---------+----------+---------+
 *   UP       | kind |      |       |       | flows   | ms to   | ms since|         |          |         |
 *            |      |      |       |       | added   | adopt   | the JVM |         |          |         |
 *            +------+------+-------+-------+---------+---------+---------+---------+----------+---------+
 *   ENDED    | kind |      |       |       | unacc.  | added   | cut off | refused | lost     |         |
 *            +------+------+-------+-------+---------+---------+---------+---------+----------+---------+
 *   HEAP     | kind |      |       |       | bytes   | threads |         |         |          |         |
 *            +------+------+-------+-------+---------+---------+---------+---------+----------+---------+
 * </pre>
 */
record Message(int kind, int flow, int slot, int generation, long a, long b, long c, long d, long e) {
    static final int BYTES = 64;
    static final int RECORD = 1;
    static final int UP = 2;
    static final int ENDED = 3;
    static final int HEAP = 4;

    /** What is asked of it: to end all flows and say ENDED, or to say HEAP. */
    static final byte ASK_END = 'e';
    static final byte ASK_HEAP = 'h';

    /** One that is about no flow. */
    static Message of(int kind, long... numbers) {
        long[] all = new long[5];
        System.arraycopy(numbers, 0, all, 0, numbers.length);
        return new Message(kind, 0, 0, 0, all[0], all[1], all[2], all[3], all[4]);
    }

    static ByteBuffer buffer(int messages) {
        return ByteBuffer.allocateDirect(messages * BYTES).order(ByteOrder.nativeOrder());
    }

    void writeTo(ByteBuffer buffer) {
        buffer.putInt(kind).putInt(flow).putInt(slot).putInt(generation).putLong(a).putLong(b).putLong(c).putLong(d).putLong(e)
                .putLong(0);
    }

    static Message readFrom(ByteBuffer buffer) {
        Message message = new Message(buffer.getInt(), buffer.getInt(), buffer.getInt(), buffer.getInt(), buffer.getLong(),
                buffer.getLong(), buffer.getLong(), buffer.getLong(), buffer.getLong());
        buffer.getLong();
        return message;
    }
}
