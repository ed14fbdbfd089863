// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.classic.internal;

import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.Origin;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** One in which each direction of a flow is a key: {@code struct fb_classic_v4} and {@code fb_classic_v6}. */
abstract class DirectionDialect extends Dialect {
    private static final int KEY_V4 = 16;
    private static final int KEY_V6 = 40;

    private final boolean ipv6;
    private final int destination;
    private final int ports;

    DirectionDialect(Origin origin, boolean ipv6, int valueSize) {
        super(origin, ipv6 ? KEY_V6 : KEY_V4, valueSize);
        this.ipv6 = ipv6;
        this.destination = ipv6 ? 2 * Long.BYTES : Integer.BYTES;
        this.ports = 2 * destination;
    }

    /** The protocol by the last word of a key. */
    abstract int protocolOf(int rest);

    /** The VLAN ids by it, outer and inner one; none. */
    abstract FlowKey withVlans(FlowKey flow, int rest);

    /** The last word of a flow's key; -1 when it cannot be in such a table. */
    abstract int restOf(FlowKey flow);

    private int rest(ByteBuffer keys, int at) {
        return keys.getInt(at + ports + 2 * Short.BYTES);
    }

    @Override
    final int protocol(ByteBuffer keys, int at) {
        return protocolOf(rest(keys, at));
    }

    @Override
    final FlowKey key(ByteBuffer keys, int at) {
        int rest = rest(keys, at);
        int sourcePort = big(keys.getShort(at + ports));
        int destinationPort = big(keys.getShort(at + ports + Short.BYTES));
        FlowKey flow = ipv6
                ? FlowKey.ofHalves(true, protocolOf(rest), big(keys.getLong(at)), big(keys.getLong(at + Long.BYTES)),
                        sourcePort, big(keys.getLong(at + destination)), big(keys.getLong(at + destination + Long.BYTES)),
                        destinationPort)
                : FlowKey.ofHalves(false, protocolOf(rest), 0, Integer.toUnsignedLong(big(keys.getInt(at))), sourcePort, 0,
                        Integer.toUnsignedLong(big(keys.getInt(at + destination))), destinationPort);
        return withVlans(flow, rest);
    }

    @Override
    final byte[] key(FlowKey flow) {
        int rest = restOf(flow);
        if (flow.isIpv6() != ipv6 || rest < 0) {
            return null;
        }
        ByteBuffer key = ByteBuffer.allocate(keySize());
        if (ipv6) {
            key.putLong(flow.sourceHigh()).putLong(flow.sourceLow());
            key.putLong(flow.destinationHigh()).putLong(flow.destinationLow());
        } else {
            key.putInt((int) flow.sourceLow()).putInt((int) flow.destinationLow());
        }
        key.putShort((short) flow.sourcePort()).putShort((short) flow.destinationPort());
        return key.order(ByteOrder.nativeOrder()).putInt(rest).array();
    }
}
