// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import io.flowbypass.maps.Gate;
import io.flowbypass.maps.Mapping;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.SecureRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * The map {@code config}, in memory. The only place in Java that knows the layout of {@code struct fb_config} in
 * {@code flowbypass.h}:
 *
 * <pre>
 *    0          8          16         24         32       36       40       44    48         56         64
 *    +----------+----------+----------+----------+--------+--------+--------+-----+----------+----------+
 *    | heartbeat|  lease   |  seed 0  |  seed 1  | bucket | paused |capacity| abi | abi hash | table id |
 *    |    ns    |   ns     |          |          | mask   |        |        |     |          |          |
 *    +----------+----------+----------+----------+--------+--------+--------+-----+----------+----------+
 * </pre>
 *
 * <p>Thread-safe; XDP reads and never writes it. Every method throws {@link IllegalStateException} once the gate is closed.
 */
final class Settings {
    /** {@code sizeof(struct fb_config)}. */
    static final int SIZE = 64;

    private static final int HEARTBEAT = 0;
    private static final int LEASE = 8;
    private static final int SEED_0 = 16;
    private static final int SEED_1 = 24;
    private static final int BUCKET_MASK = 32;
    private static final int PAUSED = 36;
    private static final int CAPACITY = 40;
    private static final int ABI = 44;
    private static final int ABI_HASH = 48;
    private static final int TABLE_ID = 56;

    /** {@code FB_ABI}, and the version in the filter of {@link ProgramFile}. */
    private static final int ABI_VERSION = 1;

    private final Mapping memory;
    private final Gate gate;

    /** The memory may be used inside that gate. */
    Settings(Mapping memory, Gate gate) {
        this.memory = memory;
        this.gate = gate;
    }

    /** What a new table begins with: random id and seeds, a heartbeat of now, not paused. */
    static byte[] initial(int capacity, int buckets, int leaseSeconds, long abiHash) {
        SecureRandom random = new SecureRandom();
        return ByteBuffer.allocate(SIZE).order(ByteOrder.nativeOrder())
                .putLong(HEARTBEAT, System.nanoTime())
                .putLong(LEASE, TimeUnit.SECONDS.toNanos(leaseSeconds))
                .putLong(SEED_0, random.nextLong())
                .putLong(SEED_1, random.nextLong())
                .putInt(BUCKET_MASK, buckets - 1)
                .putInt(CAPACITY, capacity)
                .putInt(ABI, ABI_VERSION)
                .putLong(ABI_HASH, abiHash)
                .putLong(TABLE_ID, random.nextLong())
                .array();
    }

    /** System.nanoTime() is the clock that BPF calls monotonic. */
    void heartbeat() {
        write(() -> memory.setLongRelease(HEARTBEAT, System.nanoTime()));
    }

    long nanosSinceHeartbeat() {
        return Math.max(0, inside(() -> System.nanoTime() - memory.getLongAcquire(HEARTBEAT)));
    }

    int leaseSeconds() {
        return (int) TimeUnit.NANOSECONDS.toSeconds(inside(() -> memory.getLongAcquire(LEASE)));
    }

    void setLeaseSeconds(int seconds) {
        write(() -> memory.setLongRelease(LEASE, TimeUnit.SECONDS.toNanos(seconds)));
    }

    boolean paused() {
        return inside(() -> memory.getIntAcquire(PAUSED)) != 0;
    }

    void setPaused(boolean paused) {
        write(() -> memory.setIntRelease(PAUSED, paused ? 1 : 0));
    }

    long[] seeds() {
        return inside(() -> new long[] {memory.getLong(SEED_0), memory.getLong(SEED_1)});
    }

    int capacity() {
        return inside(() -> memory.getInt(CAPACITY));
    }

    long abiHash() {
        return inside(() -> memory.getLong(ABI_HASH));
    }

    long tableId() {
        return inside(() -> memory.getLong(TABLE_ID));
    }

    private void write(Runnable access) {
        inside(() -> {
            access.run();
            return null;
        });
    }

    private <T> T inside(Supplier<T> access) {
        if (!gate.enter()) {
            throw new IllegalStateException("the data plane is gone");
        }
        try {
            return access.get();
        } finally {
            gate.exit();
        }
    }
}
