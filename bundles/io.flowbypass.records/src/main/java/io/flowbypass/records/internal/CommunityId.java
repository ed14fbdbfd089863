// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.records.internal;

import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.Protocols;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Optional;

/**
 * The Community ID of a flow, version 1: what Suricata, Zeek and others call it by, whichever side they saw first. VLAN ids
 * are no part of it.
 *
 * <p>A flow of ICMP or ICMPv6 has none: it takes the type and code of one message, and here it is everything that two
 * addresses exchange. Nor has a pair of hosts of all protocols, 0, which only Zeek's table knows.
 */
final class CommunityId {
    /** The largest seed. */
    static final int MAX_SEED = 65535;
    private static final int ICMP = 1;
    /** Seed, two addresses, protocol, padding, two ports. */
    private static final int MAX_BYTES = 2 + 2 * 16 + 2 + 2 * 2;

    private CommunityId() {
    }

    static Optional<String> of(FlowKey key, int seed) {
        int protocol = key.protocol();
        if (protocol == 0 || protocol == ICMP || protocol == Protocols.ICMPV6) {
            return Optional.empty();
        }
        FlowKey ordered = isOrdered(key) ? key : key.reversed();
        ByteBuffer hashed = ByteBuffer.allocate(MAX_BYTES);
        hashed.putShort((short) seed);
        hashed.put(ordered.source().getAddress()).put(ordered.destination().getAddress());
        hashed.put((byte) protocol).put((byte) 0);
        if (protocol == Protocols.TCP || protocol == Protocols.UDP || protocol == Protocols.SCTP) {
            hashed.putShort((short) ordered.sourcePort()).putShort((short) ordered.destinationPort());
        }
        return Optional.of("1:" + Base64.getEncoder().encodeToString(sha1(hashed.flip())));
    }

    private static boolean isOrdered(FlowKey key) {
        int high = Long.compareUnsigned(key.sourceHigh(), key.destinationHigh());
        int low = Long.compareUnsigned(key.sourceLow(), key.destinationLow());
        int addresses = high == 0 ? low : high;
        return addresses < 0 || addresses == 0 && key.sourcePort() < key.destinationPort();
    }

    private static byte[] sha1(ByteBuffer bytes) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-1");
            digest.update(bytes);
            return digest.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java has SHA-1", e);
        }
    }
}
