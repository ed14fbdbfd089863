// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import io.flowbypass.flow.FlowKey;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;

/**
 * Other keys with the hash of a given one, so with its tag and both its buckets too: in the index they differ in nothing.
 * Every round of {@code bpf/key.h}'s hash can be taken back, so the addresses follow from the ports.
 */
public final class Twins {
    private static final long MULTIPLIER = 0x9e3779b97f4a7c15L;
    private static final long INVERSE = inverse(MULTIPLIER);

    private final long seed;

    /** Of a table with this first seed. */
    public Twins(long seed) {
        this.seed = seed;
    }

    /**
     * A twin of an IPv4 flow.
     *
     * @param number each gives another twin
     */
    public FlowKey of(FlowKey key, int number) {
        FlowKey canonical = isCanonical((int) key.sourceLow(), key.sourcePort(), (int) key.destinationLow(),
                key.destinationPort()) ? key : key.reversed();
        long addr = word((int) canonical.sourceLow()) | word((int) canonical.destinationLow()) << 32;
        long hash = mix(mix(seed, ports(canonical.sourcePort(), canonical.destinationPort())), addr);
        for (int sourcePort = 1;; sourcePort++) {
            int destinationPort = 20_000 + number;
            long twin = unmix(hash) ^ mix(seed, ports(sourcePort, destinationPort));
            int source = Integer.reverseBytes((int) twin);
            int destination = Integer.reverseBytes((int) (twin >>> 32));
            if (isCanonical(source, sourcePort, destination, destinationPort)) {
                return FlowKey.of(key.protocol(), address(source), sourcePort, address(destination), destinationPort);
            }
        }
    }

    private static boolean isCanonical(int source, int sourcePort, int destination, int destinationPort) {
        int order = Integer.compareUnsigned(source, destination);
        return order < 0 || order == 0 && sourcePort <= destinationPort;
    }

    private static long word(int address) {
        return Integer.toUnsignedLong(Integer.reverseBytes(address));
    }

    private static long ports(int source, int destination) {
        return Short.toUnsignedLong(Short.reverseBytes((short) source))
                | Short.toUnsignedLong(Short.reverseBytes((short) destination)) << 16;
    }

    private static long mix(long hash, long word) {
        long mixed = (hash ^ word) * MULTIPLIER;
        return mixed ^ mixed >>> 32;
    }

    /** What {@link #mix} had as {@code hash ^ word}. */
    private static long unmix(long mixed) {
        return (mixed ^ mixed >>> 32) * INVERSE;
    }

    /** Of an odd number modulo 2^64: each step doubles the bits that are right, beginning with three. */
    private static long inverse(long odd) {
        long inverse = odd;
        for (int right = 3; right < Long.SIZE; right *= 2) {
            inverse *= 2 - odd * inverse;
        }
        return inverse;
    }

    private static InetAddress address(int number) {
        try {
            return InetAddress.getByAddress(ByteBuffer.allocate(Integer.BYTES).putInt(number).array());
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e);
        }
    }
}
