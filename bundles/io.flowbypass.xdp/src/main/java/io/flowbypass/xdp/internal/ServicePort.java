// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * A protocol and a port whose flows may be cut off automatically.
 *
 * @param protocol IANA number of a protocol with ports
 * @param port 1 to 65535
 */
record ServicePort(int protocol, int port) {
    private static final Map<String, Integer> PROTOCOLS =
            Map.of("tcp", 6, "udp", 17, "dccp", 33, "sctp", 132, "udplite", 136);
    private static final int UDP = 17;
    /** VXLAN, VXLAN as Linux once did it, GENEVE and GTP-U: a tunnel is many flows that look like one. */
    private static final Set<Integer> TUNNELS = Set.of(4789, 8472, 6081, 2152);
    private static final int PROTOCOL_SHIFT = 16;
    private static final int MAX_PORT = 65535;

    /**
     * Reads a list such as {@code tcp/443, udp/443}.
     *
     * @throws IllegalArgumentException when it is another text, or names too many, or a tunnel
     */
    static List<ServicePort> list(String text) {
        List<ServicePort> all = Arrays.stream(text.split(",")).map(String::strip).filter(entry -> !entry.isEmpty())
                .map(ServicePort::of).distinct().toList();
        if (all.size() > Settings.ALLOWED) {
            throw new IllegalArgumentException("cutoff.allowed names " + all.size() + " ports: it may name at most "
                    + Settings.ALLOWED);
        }
        return all;
    }

    private static ServicePort of(String text) {
        String[] parts = text.toLowerCase(Locale.ROOT).split("/", -1);
        Integer protocol = PROTOCOLS.get(parts[0]);
        if (parts.length != 2 || protocol == null || !parts[1].matches("[0-9]{1,5}")
                || Integer.parseInt(parts[1]) < 1 || Integer.parseInt(parts[1]) > MAX_PORT) {
            throw new IllegalArgumentException("cutoff.allowed has \"" + text + "\": write a protocol (tcp, udp, udplite,"
                    + " sctp, dccp), a slash and a port from 1 to 65535, such as tcp/443");
        }
        int port = Integer.parseInt(parts[1]);
        if (protocol == UDP && TUNNELS.contains(port)) {
            throw new IllegalArgumentException("cutoff.allowed has \"" + text + "\": that is a tunnel, many flows that look"
                    + " like one, and never cut off automatically");
        }
        return new ServicePort(protocol, port);
    }

    /** As {@code fb_config.allowed} has it. */
    int code() {
        return protocol << PROTOCOL_SHIFT | port;
    }
}
