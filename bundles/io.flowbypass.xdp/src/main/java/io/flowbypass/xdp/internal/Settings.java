// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import io.flowbypass.maps.Gate;
import io.flowbypass.maps.Mapping;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.SecureRandom;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * The map {@code config}, in memory. The only place in Java that knows the layout of {@code struct fb_config} in
 * {@code flowbypass.h}:
 *
 * <pre>
 *     0          8          16         24         32       36       40       44       48         56         64
 *     +----------+----------+----------+----------+--------+--------+--------+--------+----------+----------+
 *     | heartbeat|  lease   |  seed 0  |  seed 1  | buckets| paused | VLAN   | cutoff | cutoff   | cutoff   |
 *     |    ns    |   ns     |          |          |        |        | mask   |        | packets  | bytes    |
 *  64 +----------+----------+----------+----------+--------+--------+--------+--------+----------+----------+
 *     | allowed: eight of protocol, port          | never-cut list  |capacity| abi    | abi hash | table id |
 * 128 +----------+----------+----------+----------+-----------------+--------+--------+----------+----------+
 *     | MAC addresses of the ports 0 to 15, as they stand in memory                                         |
 * 256 +-----------------------------------------------------------------------------------------------------+
 * </pre>
 *
 * <p>Thread-safe; XDP reads and never writes it. Every method throws {@link IllegalStateException} once the gate is closed.
 */
final class Settings {
    /** {@code sizeof(struct fb_config)}. */
    static final int SIZE = 256;
    /** {@code FB_ALLOWED}. */
    static final int ALLOWED = 8;

    private static final int HEARTBEAT = 0;
    private static final int LEASE = 8;
    private static final int SEED_0 = 16;
    private static final int SEED_1 = 24;
    private static final int BUCKETS = 32;
    private static final int PAUSED = 36;
    private static final int VLAN_MASK = 40;
    private static final int CUTOFF = 44;
    private static final int CUTOFF_PACKETS = 48;
    private static final int CUTOFF_BYTES = 56;
    private static final int ALLOWED_LIST = 64;
    private static final int NEVER = 96;
    private static final int CAPACITY = 104;
    private static final int ABI = 108;
    private static final int ABI_HASH = 112;
    private static final int TABLE_ID = 120;
    private static final int DESTINATIONS = 128;

    /** Both ids of 12 bits. */
    private static final int BOTH_VLANS = 0x0fff0fff;

    /** {@code FB_ABI}, and the version in the filter of {@link ProgramFile}. */
    static final int ABI_VERSION = 2;

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
                .putInt(BUCKETS, buckets)
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

    boolean tracksVlans() {
        return inside(() -> memory.getIntAcquire(VLAN_MASK)) != 0;
    }

    void setTracksVlans(boolean tracked) {
        write(() -> memory.setIntRelease(VLAN_MASK, tracked ? BOTH_VLANS : 0));
    }

    void setCutoff(boolean on) {
        write(() -> memory.setIntRelease(CUTOFF, on ? 1 : 0));
    }

    long cutoffPackets() {
        return inside(() -> memory.getLongAcquire(CUTOFF_PACKETS));
    }

    void setCutoffPackets(long packets) {
        write(() -> memory.setLongRelease(CUTOFF_PACKETS, packets));
    }

    long cutoffBytes() {
        return inside(() -> memory.getLongAcquire(CUTOFF_BYTES));
    }

    void setCutoffBytes(long bytes) {
        write(() -> memory.setLongRelease(CUTOFF_BYTES, bytes));
    }

    /** What may be cut off automatically, at most {@value #ALLOWED}. */
    void setAllowed(List<ServicePort> allowed) {
        write(() -> {
            for (int i = 0; i < ALLOWED; i++) {
                memory.setIntRelease(ALLOWED_LIST + i * Integer.BYTES, i < allowed.size() ? allowed.get(i).code() : 0);
            }
        });
    }

    void setNeverCut(int first, int count) {
        write(() -> memory.setLongRelease(NEVER, first | (long) count << Integer.SIZE));
    }

    /** The MAC address that a port's packets get, its first byte the lowest one; 0 lets them keep theirs. */
    void setDestination(int port, long address) {
        write(() -> memory.setLongRelease(DESTINATIONS + port * Long.BYTES, address));
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
