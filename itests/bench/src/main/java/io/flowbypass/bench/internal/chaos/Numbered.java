// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal.chaos;

import io.flowbypass.bench.internal.Family;
import io.flowbypass.flow.FlowKey;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;

/**
 * The flows of this scenario, by their numbers, as {@code generator.c} has them: even ones are IPv4, odd ones IPv6, and the
 * number is in the source address.
 */
final class Numbered {
    /** What the generator adds the number to. */
    private static final int FIRST = 0xf0000000;
    /** Behind each frame come that many bytes at most, by the number. */
    private static final int PADDING = 64;
    private static final int SERVER_PORT = 443;

    private Numbered() {
    }

    /** Of the flows that come and go one at random: one of those that have most packets, with low numbers, much more often. */
    static int low(SplittableRandom random, int flows) {
        return random.nextInt(random.nextInt(random.nextInt(flows) + 1) + 1);
    }

    static Family family(int flow) {
        return (flow & 1) == 0 ? Family.IPV4 : Family.IPV6;
    }

    /** The number of a flow in its family. */
    static int inFamily(int flow) {
        return FIRST + flow;
    }

    static byte[] firstFrame(Family family) {
        return family.frame(FIRST);
    }

    /** The key, from its source on. */
    static FlowKey key(int flow) {
        return family(flow).key(inFamily(flow));
    }

    /** Bytes of each of its packets. */
    static int length(int flow) {
        return firstFrame(family(flow)).length + flow % PADDING;
    }

    /** Whether a key, as somebody asked for it, is given from the flow's source on. */
    static boolean isFromSource(FlowKey key) {
        return key.destinationPort() == SERVER_PORT;
    }

    static int of(FlowKey key) {
        byte[] address = (isFromSource(key) ? key.source() : key.destination()).getAddress();
        return ByteBuffer.wrap(address).getInt(address.length - Integer.BYTES) - FIRST;
    }
}
