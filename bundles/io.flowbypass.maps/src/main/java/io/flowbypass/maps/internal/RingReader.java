// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.maps.Mapping;
import io.flowbypass.maps.RingBuffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * Reads a RINGBUF in the memory that the kernel shows of it (kernel/bpf/ringbuf.c):
 *
 * <pre>
 *     page 0          | consumer position, u64 |                      written by us
 *     page 1          | producer position, u64 |                      read-only from here on
 *     page 2 ...      | data: capacity bytes   | the same data again |
 *
 *     a record, at (position mod capacity) of the data, aligned to 8:
 *     0           4           8
 *     | length    | reserved  | bytes ... |
 *       bit 31: being written; bit 30: discarded
 * </pre>
 *
 * <p>Since the data follows itself, no record is in two pieces. A record is copied before it is given away: memory that may
 * be unmapped does not leave this class.
 */
final class RingReader implements RingBuffer {
    private static final int BUSY = 1 << 31;
    private static final int DISCARDED = 1 << 30;
    private static final int HEADER = 8;
    private static final int FIRST_RECORD_ROOM = 4096;
    /** Longest wait in one system call, during which the map cannot be closed. */
    private static final int WAIT_MILLIS = 100;

    private final OpenMap map;
    private final ReaderGate gate;
    private final Mapping consumer;
    private final Mapping producer;
    private final int page = Bpf.pageSize();
    private final int mask;
    private byte[] record = new byte[FIRST_RECORD_ROOM];
    private ByteBuffer readable = readable(record);

    RingReader(OpenMap map, ReaderGate gate) {
        this.map = map;
        this.gate = gate;
        int capacity = map.description().capacity();
        this.mask = capacity - 1;
        this.consumer = gate.guard(map.mmap(0, page, true));
        this.producer = gate.guard(map.mmap(page, page + 2L * capacity, false));
    }

    @Override
    public synchronized int consume(Consumer<ByteBuffer> records) {
        if (!gate.enter()) {
            throw new IllegalStateException("the reader of the map " + map.description().name() + " is closed");
        }
        try {
            long at = consumer.getLong(0);
            // Not what comes meanwhile: programs may write faster than the callback reads.
            long end = producer.getLongAcquire(0);
            int given = 0;
            while (at < end) {
                int place = page + (int) (at & mask);
                int header = producer.getIntAcquire(place);
                if ((header & BUSY) != 0) {
                    break;
                }
                int length = header & ~DISCARDED;
                at += (HEADER + length + Long.BYTES - 1) / Long.BYTES * Long.BYTES;
                try {
                    if ((header & DISCARDED) == 0) {
                        records.accept(copy(place + HEADER, length));
                        given++;
                    }
                } finally {
                    consumer.setLongRelease(0, at);
                }
            }
            return given;
        } finally {
            gate.exit();
        }
    }

    @Override
    public int consume(Consumer<ByteBuffer> records, Duration atMost) {
        long deadline = System.nanoTime() + atMost.toNanos();
        int given = consume(records);
        while (given == 0 && !Thread.currentThread().isInterrupted()) {
            long left = Duration.ofNanos(deadline - System.nanoTime()).toMillis();
            if (left <= 0) {
                return 0;
            }
            if (map.calls().awaitReadable((int) Math.min(left, WAIT_MILLIS))) {
                given = consume(records);
            }
        }
        return given;
    }

    private ByteBuffer copy(int from, int length) {
        if (length > record.length) {
            record = Arrays.copyOf(record, Math.max(length, 2 * record.length));
            readable = readable(record);
        }
        producer.get(from, record, length);
        return readable.position(0).limit(length);
    }

    private static ByteBuffer readable(byte[] record) {
        return ByteBuffer.wrap(record).asReadOnlyBuffer().order(ByteOrder.nativeOrder());
    }

    @Override
    public void close() {
        gate.close();
    }
}
