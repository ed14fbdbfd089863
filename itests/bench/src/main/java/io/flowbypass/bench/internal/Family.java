// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import io.flowbypass.flow.FlowKey;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * Numbered TCP flows of IPv4 or IPv6: the number is the end of the source address, all else is the same. No machine has
 * such a source address: in IPv4 one that was never given away (240.0.0.0/4), in IPv6 one for documentation (2001:db8::/32).
 */
public enum Family {
    /** 14 bytes of Ethernet, 20 of IP, 20 of TCP with ACK, 10 of payload. */
    IPV4("IPv4", 26, 12, "020000000001020000000002 0800 4500003200010000 40060000 f0000000c0000201"
            + "9c4001bb0000000100000001501003e800000000 00000000000000000000"),
    /** The same with 40 bytes of IP. */
    IPV6("IPv6", 22, 36, "020000000001020000000002 86dd 60000000001e0640 20010db80000000000000000f0000000"
            + "20010db8000000000000000000000001 9c4001bb0000000100000001501003e800000000 00000000000000000000");

    /** The id in a tag. */
    static final int VLAN = 100;
    private static final int MAC_ADDRESSES = 12;
    private static final int TAG_TYPE = 0x8100;
    private static final int TCP = 6;
    private static final int PORTS = 2 * Short.BYTES;

    private final String title;
    /** Where source, destination and ports stand, one behind the other. */
    private final int tupleOffset;
    private final int tupleLength;
    private final byte[] frame;

    Family(String title, int tupleOffset, int tupleLength, String frame) {
        this.title = title;
        this.tupleOffset = tupleOffset;
        this.tupleLength = tupleLength;
        this.frame = HexFormat.of().parseHex(frame.replace(" ", ""));
    }

    /** What people call it. */
    String title() {
        return title;
    }

    /** Where the number stands in a frame, in network byte order. */
    int numberOffset() {
        return tupleOffset + addressLength() - Integer.BYTES;
    }

    /** A packet of a flow. */
    public byte[] frame(int number) {
        byte[] copy = frame.clone();
        ByteBuffer.wrap(copy).putInt(numberOffset(), number);
        return copy;
    }

    /** A packet of a flow with a tag of {@link #VLAN}. */
    byte[] taggedFrame(int number) {
        byte[] untagged = frame(number);
        return ByteBuffer.allocate(untagged.length + Integer.BYTES).put(untagged, 0, MAC_ADDRESSES).putInt(TAG_TYPE << 16 | VLAN)
                .put(untagged, MAC_ADDRESSES, untagged.length - MAC_ADDRESSES).array();
    }

    /** Flowbypass's key of a flow, in the direction of its frame. */
    public FlowKey key(int number) {
        ByteBuffer packet = ByteBuffer.wrap(frame(number));
        int destination = tupleOffset + addressLength();
        int ports = destination + addressLength();
        return FlowKey.ofHalves(this == IPV6, TCP, high(packet, tupleOffset), low(packet, tupleOffset),
                Short.toUnsignedInt(packet.getShort(ports)), high(packet, destination), low(packet, destination),
                Short.toUnsignedInt(packet.getShort(ports + Short.BYTES)));
    }

    /** How many bytes a {@link #classicKey} has. */
    int classicKeyLength() {
        return tupleLength + Integer.BYTES;
    }

    /** The key that {@code classic.bpf.c} makes of a flow's frame: addresses, ports, and the protocol as a number. */
    public byte[] classicKey(int number) {
        byte[] key = Arrays.copyOfRange(frame(number), tupleOffset, tupleOffset + classicKeyLength());
        ByteBuffer.wrap(key).order(ByteOrder.nativeOrder()).putInt(tupleLength, TCP);
        return key;
    }

    /** That of the same flow's packets in the other direction. */
    public byte[] reversedClassicKey(byte[] key) {
        byte[] reversed = key.clone();
        int port = 2 * addressLength();
        System.arraycopy(key, 0, reversed, addressLength(), addressLength());
        System.arraycopy(key, addressLength(), reversed, 0, addressLength());
        System.arraycopy(key, port, reversed, port + Short.BYTES, Short.BYTES);
        System.arraycopy(key, port + Short.BYTES, reversed, port, Short.BYTES);
        return reversed;
    }

    private int addressLength() {
        return (tupleLength - PORTS) / 2;
    }

    private long high(ByteBuffer packet, int address) {
        return this == IPV6 ? packet.getLong(address) : 0;
    }

    private long low(ByteBuffer packet, int address) {
        return this == IPV6 ? packet.getLong(address + Long.BYTES) : Integer.toUnsignedLong(packet.getInt(address));
    }
}
