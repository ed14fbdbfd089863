// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.maps.Mapping;
import io.flowbypass.maps.RingBuffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
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
    /** Above this, the data and its second image are more than one mapping can hold. */
    static final long MOST_BYTES = 512 << 20;
    /** Longest wait in one system call, so that a close is noticed. */
    private static final int WAIT_MILLIS = 100;
    private static final long PAUSE_NANOS = 100_000;
    private static final Duration LONGEST_WAIT = Duration.ofDays(365);

    private final OpenMap map;
    private final RingGate gate = new RingGate();
    private final Mapping consumer;
    private final Mapping producer;
    private final int page = Bpf.pageSize();
    private final long mask;
    private byte[] record = new byte[FIRST_RECORD_ROOM];
    private ByteBuffer readable = readable(record);

    RingReader(OpenMap map) {
        this.map = map;
        long capacity = map.info().capacity();
        this.mask = capacity - 1;
        try {
            this.consumer = gate.guard(map.mmap(0, page, true));
            this.producer = gate.guard(map.mmap(page, page + 2 * capacity, false));
        } catch (RuntimeException refused) {
            gate.close();
            throw refused;
        }
    }

    @Override
    public int consume(Consumer<ByteBuffer> records) {
        if (gate.isReader(Thread.currentThread())) {
            throw new IllegalStateException("records are read inside the callback for a record");
        }
        synchronized (this) {
            if (!gate.enterAsReader()) {
                throw new IllegalStateException("the reader of the map " + map.info().name() + " is closed");
            }
            try {
                return read(records);
            } finally {
                gate.exitAsReader();
            }
        }
    }

    private int read(Consumer<ByteBuffer> records) {
        long at = consumer.getLong(0);
        // Not what comes meanwhile: programs may write faster than the callback reads.
        long end = producer.getLongAcquire(0);
        int given = 0;
        while (at < end && !gate.isClosed()) {
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
    }

    @Override
    public int consume(Consumer<ByteBuffer> records, Duration atMost) {
        long nanos = atMost.compareTo(LONGEST_WAIT) < 0 ? atMost.toNanos() : LONGEST_WAIT.toNanos();
        long deadline = System.nanoTime() + nanos;
        int given = consume(records);
        while (given == 0 && !Thread.currentThread().isInterrupted()) {
            long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
            if (left <= 0) {
                return 0;
            }
            boolean some = map.calls().awaitReadable((int) Math.min(left, WAIT_MILLIS));
            given = consume(records);
            if (some && given == 0) {
                // The first record is still being written.
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
        return given;
    }

    /** What closes it, without a reference to the map. */
    RingGate gate() {
        return gate;
    }

    private ByteBuffer copy(int from, int length) {
        if (length > record.length) {
            record = Arrays.copyOf(record, Math.max(length, 2 * record.length));
            readable = readable(record);
        }
        producer.get(from, record, length);
        return readable.clear().limit(length).order(ByteOrder.nativeOrder());
    }

    private static ByteBuffer readable(byte[] record) {
        return ByteBuffer.wrap(record).asReadOnlyBuffer();
    }

    @Override
    public void close() {
        gate.close();
    }
}
