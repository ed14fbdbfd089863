// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import java.util.Arrays;
import java.util.Set;

/**
 * Reads packets as the RFCs describe them, slowly and plainly; written without a look at the data plane's parser, which is
 * held against it. What both decide about what the RFCs leave open: at most eight VLAN tags and eight extension headers.
 */
public final class ReferenceParser {
    /** What a packet is. */
    public enum Kind {
        /** One of a flow. */
        FLOW,
        /** Neither IPv4 nor IPv6, or too many tags or headers. */
        OTHER,
        /** An ICMP error, which tells of another flow, or neighbour discovery. */
        ICMP_ERROR,
        /** A part of a packet. */
        FRAGMENT,
        /** Truncated, or it contradicts itself. */
        MALFORMED
    }

    /** IEEE 802.1Q and 802.1ad. */
    private static final Set<Integer> TAGS = Set.of(0x8100, 0x88a8);
    private static final int MOST_TAGS = 8;
    /** Hop-by-hop, routing, destination options (RFC 8200), mobility (RFC 6275): length in 8 bytes beyond the first. */
    private static final Set<Integer> OPTIONS = Set.of(0, 43, 60, 135);
    private static final int AUTHENTICATION = 51;
    private static final int FRAGMENT_HEADER = 44;
    private static final int MOST_EXTENSIONS = 8;

    private final byte[] frame;
    private Kind kind;
    private int protocol;
    private byte[] source = {};
    private byte[] destination = {};
    private int sourcePort;
    private int destinationPort;
    private int tcpFlags;
    private int outerVlan;
    private int innerVlan;

    private ReferenceParser(byte[] frame) {
        this.frame = frame;
        kind = ethernet();
    }

    /** Reads a frame. */
    public static ReferenceParser of(byte[] frame) {
        return new ReferenceParser(frame);
    }

    /** What it is; the rest is known of a FLOW only. */
    public Kind kind() {
        return kind;
    }

    /** IANA protocol number. */
    public int protocol() {
        return protocol;
    }

    /** 4 or 16 bytes. */
    public byte[] source() {
        return source;
    }

    /** 4 or 16 bytes. */
    public byte[] destination() {
        return destination;
    }

    /** The port that it comes from; 0 where the protocol has none. */
    public int sourcePort() {
        return sourcePort;
    }

    /** The port that it goes to; 0 where the protocol has none. */
    public int destinationPort() {
        return destinationPort;
    }

    /** The eight flags of RFC 9293; 0 when it is no TCP. */
    public int tcpFlags() {
        return tcpFlags;
    }

    /** The identifier in the first tag; 0 where there is none. */
    public int outerVlan() {
        return outerVlan;
    }

    /** The identifier in the second tag; 0 where there is none. */
    public int innerVlan() {
        return innerVlan;
    }

    /** Whether its source comes before its destination: by the address, then by the port. */
    public boolean isForward() {
        int order = Arrays.compareUnsigned(source, destination);
        return order < 0 || order == 0 && sourcePort <= destinationPort;
    }

    private Kind ethernet() {
        int at = 12;
        for (int tag = 0; tag < MOST_TAGS && TAGS.contains(number(at, 2)); tag++) {
            at += 4;
            if (at + 2 > frame.length) {
                return Kind.MALFORMED;
            }
            int identifier = number(at - 2, 2) % 4096;
            outerVlan = tag == 0 ? identifier : outerVlan;
            innerVlan = tag == 1 ? identifier : innerVlan;
        }
        return switch (number(at, 2)) {
            case 0x0800 -> ipv4(at + 2);
            case 0x86dd -> ipv6(at + 2);
            default -> Kind.OTHER;
        };
    }

    /** RFC 791. */
    private Kind ipv4(int at) {
        if (at + 20 > frame.length || number(at, 1) >> 4 != 4) {
            return Kind.MALFORMED;
        }
        int header = (number(at, 1) & 0xf) * 4;
        int total = number(at + 2, 2);
        if (header < 20 || total < header || at + total > frame.length) {
            return Kind.MALFORMED;
        }
        boolean moreFragments = (number(at + 6, 2) & 0x2000) != 0;
        int offset = number(at + 6, 2) & 0x1fff;
        if (moreFragments || offset != 0) {
            return Kind.FRAGMENT;
        }
        source = Arrays.copyOfRange(frame, at + 12, at + 16);
        destination = Arrays.copyOfRange(frame, at + 16, at + 20);
        return transport(number(at + 9, 1), at + header, at + total);
    }

    /** RFC 8200. */
    private Kind ipv6(int at) {
        if (at + 40 > frame.length || number(at, 1) >> 4 != 6) {
            return Kind.MALFORMED;
        }
        int end = at + 40 + number(at + 4, 2);
        if (end > frame.length) {
            return Kind.MALFORMED;
        }
        source = Arrays.copyOfRange(frame, at + 8, at + 24);
        destination = Arrays.copyOfRange(frame, at + 24, at + 40);
        int next = number(at + 6, 1);
        int header = at + 40;
        for (int extension = 0; extension < MOST_EXTENSIONS; extension++) {
            if (next != FRAGMENT_HEADER && next != AUTHENTICATION && !OPTIONS.contains(next)) {
                break;
            }
            if (header + 8 > end) {
                return Kind.MALFORMED;
            }
            int length = 8;
            if (next == FRAGMENT_HEADER) {
                int offset = number(header + 2, 2) >> 3;
                boolean moreFragments = (number(header + 2, 2) & 1) != 0;
                // RFC 6946: one that is the first and the last is the whole packet.
                if (offset != 0 || moreFragments) {
                    return Kind.FRAGMENT;
                }
            } else if (next == AUTHENTICATION) {
                // RFC 4302 2.2
                length = (number(header + 1, 1) + 2) * 4;
            } else {
                length = (number(header + 1, 1) + 1) * 8;
            }
            next = number(header, 1);
            header += length;
            if (header > end) {
                return Kind.MALFORMED;
            }
        }
        if (next == FRAGMENT_HEADER || next == AUTHENTICATION || OPTIONS.contains(next)) {
            return Kind.OTHER;
        }
        return transport(next, header, end);
    }

    private Kind transport(int number, int at, int end) {
        protocol = number;
        int left = end - at;
        boolean whole;
        switch (number) {
            case 6 -> // RFC 9293 3.1
                whole = left >= 20 && (number(at + 12, 1) >> 4) * 4 >= 20 && (number(at + 12, 1) >> 4) * 4 <= left;
            case 17 -> // RFC 768
                whole = left >= 8 && number(at + 4, 2) >= 8 && number(at + 4, 2) <= left;
            case 136 -> { // RFC 3828 3.1
                int coverage = left >= 8 ? number(at + 4, 2) : 0;
                whole = left >= 8 && (coverage == 0 || coverage >= 8 && coverage <= left);
            }
            case 132 -> // RFC 9260 3.1
                whole = left >= 12;
            case 33 -> { // RFC 4340 5.1
                boolean longSequence = left >= 12 && (number(at + 8, 1) & 1) != 0;
                whole = left >= 12 && number(at + 4, 1) * 4 >= (longSequence ? 16 : 12) && number(at + 4, 1) * 4 <= left;
            }
            case 1 -> {
                // RFC 792: destination unreachable, source quench, redirect, time exceeded, parameter problem
                return left < 8 ? Kind.MALFORMED : Set.of(3, 4, 5, 11, 12).contains(number(at, 1)) ? Kind.ICMP_ERROR : Kind.FLOW;
            }
            case 58 -> { // RFC 4443 2.1; RFC 4861 4
                int type = left < 4 ? 0 : number(at, 1);
                boolean discovery = type >= 133 && type <= 137;
                return left < 4 ? Kind.MALFORMED : type < 128 || discovery ? Kind.ICMP_ERROR : Kind.FLOW;
            }
            default -> {
                return Kind.FLOW;
            }
        }
        if (!whole) {
            return Kind.MALFORMED;
        }
        sourcePort = number(at, 2);
        destinationPort = number(at + 2, 2);
        tcpFlags = number == 6 ? number(at + 13, 1) : 0;
        return Kind.FLOW;
    }

    private int number(int at, int bytes) {
        int number = 0;
        for (int i = at; i < at + bytes; i++) {
            number = number << 8 | frame[i] & 0xff;
        }
        return number;
    }
}
