// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.classic.internal;

/** What an entry's value says, of all CPUs together. Filled again for each entry; for one thread. */
final class Counts {
    /** Of the key's direction, and of the other one. */
    long packets;
    long packetsBack;
    long bytes;
    long bytesBack;
    /** Monotonic ns of the last packet; 0 where it is not known. */
    long time;

    void clear() {
        packets = 0;
        packetsBack = 0;
        bytes = 0;
        bytesBack = 0;
        time = 0;
    }

    void set(Counts other) {
        packets = other.packets;
        packetsBack = other.packetsBack;
        bytes = other.bytes;
        bytesBack = other.bytesBack;
        time = other.time;
    }

    long allPackets() {
        return packets + packetsBack;
    }

    /** Whether nothing came between the two. */
    boolean isSame(Counts other) {
        return allPackets() == other.allPackets() && time == other.time;
    }
}
