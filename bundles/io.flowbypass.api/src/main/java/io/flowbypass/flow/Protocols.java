// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;

/** Names of IP protocols, as Suricata's EVE log has them, by their IANA numbers. */
public final class Protocols {
    /** TCP. */
    public static final int TCP = 6;
    /** UDP. */
    public static final int UDP = 17;

    /** DCCP. */
    public static final int DCCP = 33;
    /** ICMPv6. */
    public static final int ICMPV6 = 58;
    /** SCTP. */
    public static final int SCTP = 132;
    /** UDP-Lite. */
    public static final int UDP_LITE = 136;

    private static final Map<Integer, String> NAMES = Map.of(1, "ICMP", TCP, "TCP", UDP, "UDP", DCCP, "DCCP", 47, "GRE", 50,
            "ESP", ICMPV6, "IPv6-ICMP", SCTP, "SCTP", UDP_LITE, "UDPLite");

    private Protocols() {
    }

    /** Whether packets of a protocol begin with a source and a destination port. */
    public static boolean hasPorts(int protocol) {
        return protocol == TCP || protocol == UDP || protocol == DCCP || protocol == SCTP || protocol == UDP_LITE;
    }

    /** The usual name of a protocol, or its number as text. */
    public static String name(int protocol) {
        return NAMES.getOrDefault(protocol, Integer.toString(protocol));
    }

    /**
     * The number of a protocol given by name (in any case; also ICMPv6) or by number.
     *
     * @throws IllegalArgumentException when it is neither a known name nor a number from 0 to 255
     */
    public static int parse(String text) {
        String wanted = Objects.requireNonNull(text, "protocol").strip().toUpperCase(Locale.ROOT);
        for (Map.Entry<Integer, String> name : NAMES.entrySet()) {
            if (name.getValue().toUpperCase(Locale.ROOT).equals(wanted)) {
                return name.getKey();
            }
        }
        if (wanted.equals("ICMPV6")) {
            return ICMPV6;
        }
        if (wanted.matches("\\d{1,3}") && Integer.parseInt(wanted) <= 255) {
            return Integer.parseInt(wanted);
        }
        throw new IllegalArgumentException(
                "protocol \"" + text + "\" is not known: write " + String.join(", ", new TreeSet<>(NAMES.values()))
                        + " or a number from 0 to 255");
    }
}
