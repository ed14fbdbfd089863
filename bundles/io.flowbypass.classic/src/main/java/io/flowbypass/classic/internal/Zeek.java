// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.classic.internal;

import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.Origin;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.Codec;
import io.flowbypass.maps.TypedMap;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** Zeek's XDP shunter: both directions in one entry, under a lock; Zeek takes them out itself, as long as it lives. */
final class Zeek extends Dialect {
    private static final int KEY_FLOW = 44;
    private static final int KEY_PAIR = 36;
    private static final int VALUE = 48;
    private static final int SECOND = 16;
    private static final int PORTS = 32;
    private static final int PROTOCOL = 36;
    private static final int VLANS = 38;
    /** Of a pair. */
    private static final int PAIR_VLANS = 32;
    /** In the first half of the low word: ::ffff:0:0/96. */
    private static final long MAPPED = 0xffffL;

    private static final int PACKETS = 8;
    private static final int BYTES = 24;
    private static final int TIME = 40;

    private final boolean pairs;

    Zeek(boolean pairs) {
        super(Origin.ZEEK, pairs ? KEY_PAIR : KEY_FLOW, VALUE);
        this.pairs = pairs;
    }

    @Override
    boolean toolExpires() {
        return true;
    }

    @Override
    TypedMap<byte[], ?> entries(BpfMap map) {
        return map.typed(Codec.bytes(map.info().keySize()), Codec.bytes(map.info().valueSize())).locked();
    }

    @Override
    int protocol(ByteBuffer keys, int at) {
        return pairs ? 0 : Short.toUnsignedInt(keys.getShort(at + PROTOCOL)) & 0xff;
    }

    @Override
    FlowKey key(ByteBuffer keys, int at) {
        long high1 = big(keys.getLong(at));
        long low1 = big(keys.getLong(at + Long.BYTES));
        long high2 = big(keys.getLong(at + SECOND));
        long low2 = big(keys.getLong(at + SECOND + Long.BYTES));
        boolean ipv6 = !isMapped(high1, low1) || !isMapped(high2, low2);
        int vlans = at + (pairs ? PAIR_VLANS : VLANS);
        FlowKey flow = FlowKey.ofHalves(ipv6, protocol(keys, at), ipv6 ? high1 : 0, ipv6 ? low1 : (int) low1 & 0xffffffffL,
                pairs ? 0 : Short.toUnsignedInt(keys.getShort(at + PORTS)), ipv6 ? high2 : 0,
                ipv6 ? low2 : (int) low2 & 0xffffffffL,
                pairs ? 0 : Short.toUnsignedInt(keys.getShort(at + PORTS + Short.BYTES)));
        return withVlans(flow, keys.getShort(vlans), keys.getShort(vlans + Short.BYTES));
    }

    private static boolean isMapped(long high, long low) {
        return high == 0 && low >>> Integer.SIZE == MAPPED;
    }

    @Override
    byte[] key(FlowKey flow) {
        ByteBuffer key = ByteBuffer.allocate(keySize());
        putAddress(key, flow.isIpv6(), flow.sourceHigh(), flow.sourceLow());
        putAddress(key, flow.isIpv6(), flow.destinationHigh(), flow.destinationLow());
        key.order(ByteOrder.nativeOrder());
        if (!pairs) {
            key.putShort((short) flow.sourcePort()).putShort((short) flow.destinationPort())
                    .putShort((short) flow.protocol());
        }
        return key.putShort((short) flow.outerVlan()).putShort((short) flow.innerVlan()).array();
    }

    private static void putAddress(ByteBuffer key, boolean ipv6, long high, long low) {
        key.putLong(high).putLong(ipv6 ? low : MAPPED << Integer.SIZE | low);
    }

    /** The smaller endpoint first: addresses as two words of the machine's byte order, then ports. */
    @Override
    List<byte[]> keys(FlowKey flow) {
        byte[] forward = key(flow);
        ByteBuffer words = ByteBuffer.wrap(forward).order(ByteOrder.nativeOrder());
        int order = Long.compareUnsigned(words.getLong(0), words.getLong(SECOND));
        order = order != 0 ? order : Long.compareUnsigned(words.getLong(Long.BYTES), words.getLong(SECOND + Long.BYTES));
        order = order != 0 ? order : Integer.compare(flow.sourcePort(), flow.destinationPort());
        return List.of(order <= 0 ? forward : key(flow.reversed()));
    }

    @Override
    void read(ByteBuffer values, int at, Counts into) {
        into.packets = values.getLong(at + PACKETS);
        into.packetsBack = values.getLong(at + PACKETS + Long.BYTES);
        into.bytes = values.getLong(at + BYTES);
        into.bytesBack = values.getLong(at + BYTES + Long.BYTES);
        into.time = values.getLong(at + TIME);
    }
}
