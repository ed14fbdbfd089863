// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import io.flowbypass.flow.FlowKey;

/**
 * How a key finds its slot. The one place in Java that knows; C's is {@code bpf/key.h}, where the algorithm is explained,
 * and a test makes both compute the same for a million random keys.
 *
 * <p>Holds the canonical key as the words that lie in memory: addresses and ports in network byte order, so a word read
 * on a little-endian machine is the reverse of the number. Mutable and reused; not thread-safe.
 */
final class TableKey {
    private static final int IPV4 = 4;
    private static final int IPV6 = 6;
    private static final long SPREAD = 0x9e3779b97f4a7c15L;
    private static final long SPREAD_AGAIN = 0xd6e8feb86659fd93L;

    /** The words of {@code fb_key.addr}. */
    final long[] addr = new long[4];
    /** {@code fb_key.ports}. */
    long ports;
    /** {@code fb_key.proto}. */
    int proto;

    /**
     * Takes over a key.
     *
     * @return 0 when its source is the smaller endpoint, else 1
     */
    int set(FlowKey key) {
        boolean reverse = isReverse(key);
        long aHigh = reverse ? key.destinationHigh() : key.sourceHigh();
        long aLow = reverse ? key.destinationLow() : key.sourceLow();
        long bHigh = reverse ? key.sourceHigh() : key.destinationHigh();
        long bLow = reverse ? key.sourceLow() : key.destinationLow();
        int aPort = reverse ? key.destinationPort() : key.sourcePort();
        int bPort = reverse ? key.sourcePort() : key.destinationPort();
        if (key.isIpv6()) {
            addr[0] = Long.reverseBytes(aHigh);
            addr[1] = Long.reverseBytes(aLow);
            addr[2] = Long.reverseBytes(bHigh);
            addr[3] = Long.reverseBytes(bLow);
        } else {
            addr[0] = Integer.toUnsignedLong(Integer.reverseBytes((int) aLow))
                    | (long) Integer.reverseBytes((int) bLow) << 32;
            addr[1] = 0;
            addr[2] = 0;
            addr[3] = 0;
        }
        ports = swapPort(aPort) | (long) swapPort(bPort) << 16 | (long) key.outerVlan() << 32
                | (long) key.innerVlan() << 48;
        proto = key.protocol() | (key.isIpv6() ? IPV6 : IPV4) << 8;
        return reverse ? 1 : 0;
    }

    /** The key for people, whose source is the smaller endpoint, or the other one when {@code forward} is 1. */
    FlowKey toFlowKey(int forward) {
        int aPort = swapPort((int) ports & 0xffff);
        int bPort = swapPort((int) (ports >>> 16) & 0xffff);
        FlowKey key = isIpv6()
                ? FlowKey.ofHalves(true, proto & 0xff, Long.reverseBytes(addr[0]), Long.reverseBytes(addr[1]), aPort,
                        Long.reverseBytes(addr[2]), Long.reverseBytes(addr[3]), bPort)
                : FlowKey.ofHalves(false, proto & 0xff, 0,
                        Integer.toUnsignedLong(Integer.reverseBytes((int) addr[0])), aPort, 0,
                        Integer.toUnsignedLong(Integer.reverseBytes((int) (addr[0] >>> 32))), bPort);
        int outer = (int) (ports >>> 32) & 0xffff;
        int inner = (int) (ports >>> 48) & 0xffff;
        if (outer != 0 || inner != 0) {
            key = key.withVlans(outer, inner);
        }
        return forward == 0 ? key : key.reversed();
    }

    boolean isIpv6() {
        return proto >>> 8 == IPV6;
    }

    long hash(long seed) {
        long portA = ports & 0xffff;
        long portB = ports >>> 16 & 0xffff;
        long a;
        long b;
        if (isIpv6()) {
            a = mix(mix(mix(seed, portA), addr[0]), addr[1]);
            b = mix(mix(mix(seed, portB), addr[2]), addr[3]);
        } else {
            a = mix(seed, addr[0] & 0xffffffffL | portA << 32);
            b = mix(seed, addr[0] >>> 32 | portB << 32);
        }
        long rest = proto | ports & 0xffffffff00000000L;
        long hash = (a + b ^ rest) * SPREAD ^ (a ^ b) * SPREAD_AGAIN;
        return hash ^ hash >>> 32;
    }

    /** What {@code fb_record.addr} holds for this key. */
    long recordAddr(long secondSeed) {
        return isIpv6() ? hash(secondSeed) : addr[0];
    }

    static int tag(long hash) {
        return (int) (hash >>> 32) | 1;
    }

    static int bucket1(long hash, int buckets) {
        return scale((int) hash, buckets);
    }

    static int bucket2(long hash, int buckets) {
        return scale(tag(hash) * 0x5bd1e995, buckets);
    }

    private static int scale(int number, int buckets) {
        return (int) (Integer.toUnsignedLong(number) * buckets >>> 32);
    }

    private static long mix(long hash, long word) {
        long mixed = (hash ^ word) * SPREAD;
        return mixed ^ mixed >>> 29 ^ mixed >>> 47;
    }

    private static boolean isReverse(FlowKey key) {
        int order = Long.compareUnsigned(key.sourceHigh(), key.destinationHigh());
        if (order == 0) {
            order = Long.compareUnsigned(key.sourceLow(), key.destinationLow());
        }
        return order > 0 || order == 0 && key.sourcePort() > key.destinationPort();
    }

    private static int swapPort(int port) {
        return (port & 0xff) << 8 | port >>> 8;
    }
}
