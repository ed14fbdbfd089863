// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;

/** Ethernet frames, built from the outside in: {@code Frame.ethernet().vlan(7).ipv4(A, B, UDP).udp(1000, 2000).bytes()}. */
public final class Frame {
    private static final int ETHERTYPE_AT = 12;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    /** Where the latest header says what follows it, and in how many bytes. */
    private int nextAt = ETHERTYPE_AT;
    private int nextBytes = 2;
    private int ipv4At = -1;
    private int ipv6At = -1;

    private Frame() {
        bytes.writeBytes(new byte[] {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0, 0});
    }

    /** An Ethernet header. */
    public static Frame ethernet() {
        return new Frame();
    }

    /** An 802.1Q tag. */
    public Frame vlan(int id) {
        return tag(0x8100, id);
    }

    /** An 802.1ad tag. */
    public Frame serviceVlan(int id) {
        return tag(0x88a8, id);
    }

    private Frame tag(int type, int id) {
        return next(type, 2, 2).word(id).word(0);
    }

    /** An IPv4 header without options. */
    public Frame ipv4(String source, String destination, int protocol) {
        return ipv4(source, destination, protocol, 0, 0);
    }

    /** An IPv4 header with 4-byte words of options, and flags and fragment offset as they stand in the header. */
    public Frame ipv4(String source, String destination, int protocol, int optionWords, int fragment) {
        next(0x0800, 9, 1);
        ipv4At = bytes.size();
        octet(0x45 + optionWords).octet(0).word(0).word(1).word(fragment).octet(64).octet(protocol).word(0);
        address(source).address(destination);
        bytes.writeBytes(new byte[optionWords * 4]);
        return this;
    }

    /** An IPv6 header. */
    public Frame ipv6(String source, String destination, int nextHeader) {
        next(0x86dd, 6, 1);
        ipv6At = bytes.size();
        octet(0x60).octet(0).word(0).word(0).octet(nextHeader).octet(64);
        return address(source).address(destination);
    }

    /** An IPv6 extension header of 8 bytes and as many more as told. */
    public Frame extension(int type, int nextHeader, int moreWordsOf8) {
        next(type, 0, 1).octet(nextHeader).octet(moreWordsOf8);
        bytes.writeBytes(new byte[6 + 8 * moreWordsOf8]);
        return this;
    }

    /** An authentication header of 24 bytes. */
    public Frame authentication(int nextHeader) {
        next(51, 0, 1).octet(nextHeader).octet(4);
        bytes.writeBytes(new byte[22]);
        return this;
    }

    /** An IPv6 fragment header with offset and flags as they stand in the header. */
    public Frame fragment(int nextHeader, int offsetAndFlags) {
        next(44, 0, 1).octet(nextHeader).octet(0).word(offsetAndFlags).word(0);
        return word(7);
    }

    /** UDP with ten bytes of payload. */
    public Frame udp(int sourcePort, int destinationPort) {
        return udp(sourcePort, destinationPort, 10);
    }

    /** UDP with so many bytes of payload. */
    public Frame udp(int sourcePort, int destinationPort, int payload) {
        word(sourcePort).word(destinationPort).word(8 + payload).word(0);
        bytes.writeBytes(new byte[payload]);
        return this;
    }

    /** ICMP or ICMPv6 of that type, 8 bytes. */
    public Frame icmp(int type) {
        octet(type).octet(0).word(0);
        return word(0).word(1);
    }

    /** UDP-Lite, of which the checksum covers as many bytes as told, with ten bytes of payload. */
    public Frame udpLite(int sourcePort, int destinationPort, int coverage) {
        word(sourcePort).word(destinationPort).word(coverage).word(0);
        bytes.writeBytes(new byte[10]);
        return this;
    }

    /** SCTP's common header, and a chunk of four bytes. */
    public Frame sctp(int sourcePort, int destinationPort) {
        word(sourcePort).word(destinationPort);
        bytes.writeBytes(new byte[12]);
        return this;
    }

    /** DCCP's generic header of 12 bytes or, with the X bit, of 16. */
    public Frame dccp(int sourcePort, int destinationPort, boolean longSequence) {
        word(sourcePort).word(destinationPort).octet(longSequence ? 4 : 3).octet(0).word(0).octet(longSequence ? 1 : 0);
        bytes.writeBytes(new byte[longSequence ? 7 : 3]);
        return this;
    }

    /** TCP with flags and ten bytes of payload. */
    public Frame tcp(int sourcePort, int destinationPort, int flags) {
        word(sourcePort).word(destinationPort).word(0).word(1).word(0).word(1).octet(0x50).octet(flags).word(1000).word(0)
                .word(0);
        bytes.writeBytes(new byte[10]);
        return this;
    }

    /** The frame, its IP lengths filled in. */
    public byte[] bytes() {
        byte[] frame = bytes.toByteArray();
        if (ipv4At >= 0) {
            put(frame, ipv4At + 2, frame.length - ipv4At);
        }
        if (ipv6At >= 0) {
            put(frame, ipv6At + 4, frame.length - ipv6At - 40);
        }
        return frame;
    }

    /** The frame's first bytes only, its IP length as if it were whole. */
    public byte[] cutTo(int length) {
        return Arrays.copyOf(bytes(), length);
    }

    private Frame next(int type, int nextOffset, int bytesOfType) {
        byte[] so = bytes.toByteArray();
        if (nextBytes == 2) {
            put(so, nextAt, type);
        } else {
            so[nextAt] = (byte) type;
        }
        bytes.reset();
        bytes.writeBytes(so);
        nextAt = so.length + nextOffset;
        nextBytes = bytesOfType;
        return this;
    }

    private Frame octet(int value) {
        bytes.write(value);
        return this;
    }

    private Frame word(int value) {
        return octet(value >> 8).octet(value);
    }

    private Frame address(String text) {
        try {
            bytes.writeBytes(InetAddress.getByName(text).getAddress());
            return this;
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static void put(byte[] frame, int at, int value) {
        frame[at] = (byte) (value >> 8);
        frame[at + 1] = (byte) value;
    }
}
