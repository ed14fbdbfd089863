// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * Names a flow: protocol, two addresses, two ports, up to two VLAN ids, in one direction. Immutable.
 *
 * <p>An address is kept as the two 64-bit halves of its network byte order, an IPv4 address in the low 32 bits of the
 * second half with the first half 0.
 */
public final class FlowKey {
    private static final Pattern IPV4 = Pattern.compile("(OCTET\\.){3}OCTET".replace("OCTET", "(25[0-5]|2[0-4]\\d|1\\d\\d|\\d{1,2})"));
    private static final Pattern IPV6 = Pattern.compile("[0-9a-fA-F:.]*:[0-9a-fA-F:.]*");
    private static final int MAX_PORT = 65535;
    private static final int MAX_VLAN = 4095;

    private final boolean ipv6;
    private final int protocol;
    private final long sourceHigh;
    private final long sourceLow;
    private final long destinationHigh;
    private final long destinationLow;
    private final int sourcePort;
    private final int destinationPort;
    private final int outerVlan;
    private final int innerVlan;

    private FlowKey(boolean ipv6, int protocol, long sourceHigh, long sourceLow, int sourcePort, long destinationHigh,
            long destinationLow, int destinationPort, int outerVlan, int innerVlan) {
        this.ipv6 = ipv6;
        this.protocol = within("protocol", protocol, 255);
        this.sourceHigh = sourceHigh;
        this.sourceLow = sourceLow;
        this.sourcePort = within("source port", sourcePort, MAX_PORT);
        this.destinationHigh = destinationHigh;
        this.destinationLow = destinationLow;
        this.destinationPort = within("destination port", destinationPort, MAX_PORT);
        this.outerVlan = within("outer VLAN id", outerVlan, MAX_VLAN);
        this.innerVlan = within("inner VLAN id", innerVlan, MAX_VLAN);
    }

    /**
     * A key from addresses written as text.
     *
     * @param protocol IANA protocol number, 0 to 255
     * @param source IPv4 or IPv6 address, never a host name
     * @param sourcePort 0 to 65535
     * @param destination an address of the same family
     * @param destinationPort 0 to 65535
     * @throws IllegalArgumentException when a value is out of range, not an address, or the families differ
     */
    public static FlowKey of(int protocol, String source, int sourcePort, String destination, int destinationPort) {
        return of(protocol, parse("source", source), sourcePort, parse("destination", destination), destinationPort);
    }

    /**
     * A key from what a person wrote.
     *
     * @param protocol name or IANA number, as {@link Protocols#parse} takes it
     * @throws IllegalArgumentException as above, or when it is not a protocol
     */
    public static FlowKey of(String protocol, String source, int sourcePort, String destination, int destinationPort) {
        return of(Protocols.parse(protocol), source, sourcePort, destination, destinationPort);
    }

    /**
     * A key from addresses.
     *
     * @throws IllegalArgumentException as above
     */
    public static FlowKey of(int protocol, InetAddress source, int sourcePort, InetAddress destination,
            int destinationPort) {
        byte[] from = source.getAddress();
        byte[] to = destination.getAddress();
        if (from.length != to.length) {
            throw new IllegalArgumentException("source " + source.getHostAddress() + " and destination "
                    + destination.getHostAddress() + " are of different families: give two IPv4 or two IPv6 addresses");
        }
        return new FlowKey(from.length == 16, protocol, high(from), low(from), sourcePort, high(to), low(to),
                destinationPort, 0, 0);
    }

    /**
     * A key from the halves of its addresses, as this class keeps them.
     *
     * @throws IllegalArgumentException when a number is out of range
     */
    public static FlowKey ofHalves(boolean ipv6, int protocol, long sourceHigh, long sourceLow, int sourcePort,
            long destinationHigh, long destinationLow, int destinationPort) {
        return new FlowKey(ipv6, protocol, sourceHigh, sourceLow, sourcePort, destinationHigh, destinationLow,
                destinationPort, 0, 0);
    }

    /**
     * The same flow inside VLANs. Matters only where VLAN tracking is on.
     *
     * @param outer outer VLAN id, 0 for none, at most 4095
     * @param inner inner VLAN id, 0 for none, at most 4095
     * @throws IllegalArgumentException when a number is out of range
     */
    public FlowKey withVlans(int outer, int inner) {
        return new FlowKey(ipv6, protocol, sourceHigh, sourceLow, sourcePort, destinationHigh, destinationLow,
                destinationPort, outer, inner);
    }

    /** The same flow in the other direction. */
    public FlowKey reversed() {
        return new FlowKey(ipv6, protocol, destinationHigh, destinationLow, destinationPort, sourceHigh, sourceLow,
                sourcePort, outerVlan, innerVlan);
    }

    /** Whether the addresses are IPv6. */
    public boolean isIpv6() {
        return ipv6;
    }

    /** IANA protocol number. */
    public int protocol() {
        return protocol;
    }

    /** The source address. Allocates. */
    public InetAddress source() {
        return address(sourceHigh, sourceLow);
    }

    /** The destination address. Allocates. */
    public InetAddress destination() {
        return address(destinationHigh, destinationLow);
    }

    /** First half of the source address; 0 for IPv4. */
    public long sourceHigh() {
        return sourceHigh;
    }

    /** Second half of the source address. */
    public long sourceLow() {
        return sourceLow;
    }

    /** First half of the destination address; 0 for IPv4. */
    public long destinationHigh() {
        return destinationHigh;
    }

    /** Second half of the destination address. */
    public long destinationLow() {
        return destinationLow;
    }

    /** Source port, 0 to 65535. */
    public int sourcePort() {
        return sourcePort;
    }

    /** Destination port, 0 to 65535. */
    public int destinationPort() {
        return destinationPort;
    }

    /** Outer VLAN id, 0 for none. */
    public int outerVlan() {
        return outerVlan;
    }

    /** Inner VLAN id, 0 for none. */
    public int innerVlan() {
        return innerVlan;
    }

    /** Equal are keys of the same flow in the same direction. */
    @Override
    public boolean equals(Object other) {
        return other instanceof FlowKey that && ipv6 == that.ipv6 && protocol == that.protocol
                && sourceHigh == that.sourceHigh && sourceLow == that.sourceLow && sourcePort == that.sourcePort
                && destinationHigh == that.destinationHigh && destinationLow == that.destinationLow
                && destinationPort == that.destinationPort && outerVlan == that.outerVlan
                && innerVlan == that.innerVlan;
    }

    @Override
    public int hashCode() {
        return Objects.hash(ipv6, protocol, sourceHigh, sourceLow, sourcePort, destinationHigh, destinationLow,
                destinationPort, outerVlan, innerVlan);
    }

    /** For people: {@code TCP 10.0.0.1:40000 > 10.0.0.2:443}, IPv6 addresses in brackets. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(Protocols.name(protocol)).append(' ');
        endpoint(text, source(), sourcePort).append(" > ");
        endpoint(text, destination(), destinationPort);
        if (outerVlan != 0) {
            text.append(" vlan ").append(outerVlan);
        }
        if (innerVlan != 0) {
            text.append(" inner vlan ").append(innerVlan);
        }
        return text.toString();
    }

    private StringBuilder endpoint(StringBuilder text, InetAddress address, int port) {
        String host = address.getHostAddress();
        return (ipv6 ? text.append('[').append(host).append(']') : text.append(host)).append(':').append(port);
    }

    private InetAddress address(long high, long low) {
        byte[] bytes = new byte[ipv6 ? 16 : 4];
        for (int i = 0; i < bytes.length; i++) {
            int fromEnd = bytes.length - 1 - i;
            bytes[i] = (byte) (fromEnd >= 8 ? high >>> 8 * (fromEnd - 8) : low >>> 8 * fromEnd);
        }
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new AssertionError("4 and 16 bytes always make an address", e);
        }
    }

    private static long high(byte[] address) {
        return address.length == 16 ? number(address, 0, 8) : 0;
    }

    private static long low(byte[] address) {
        return address.length == 16 ? number(address, 8, 16) : number(address, 0, 4);
    }

    private static long number(byte[] bytes, int from, int to) {
        long value = 0;
        for (int i = from; i < to; i++) {
            value = value << 8 | bytes[i] & 0xff;
        }
        return value;
    }

    private static int within(String what, int value, int max) {
        if (value < 0 || value > max) {
            throw new IllegalArgumentException(what + " " + value + " is out of range: 0 to " + max);
        }
        return value;
    }

    private static InetAddress parse(String what, String text) {
        Objects.requireNonNull(text, what);
        // getByName asks no name server for a text that has one of these forms.
        if (IPV4.matcher(text).matches() || IPV6.matcher(text).matches()) {
            try {
                return InetAddress.getByName(text);
            } catch (UnknownHostException e) {
                throw notAnAddress(what, text);
            }
        }
        throw notAnAddress(what, text);
    }

    private static IllegalArgumentException notAnAddress(String what, String text) {
        return new IllegalArgumentException(what + " \"" + text
                + "\" is not an IP address: write 192.0.2.1 or 2001:db8::1 (host names are not looked up)");
    }

    /**
     * Its parts in order, by the names that Suricata's EVE log has for them: protocol and addresses are texts, ports numbers, VLAN
     * ids a list of one or two numbers, left out where there are none.
     */
    public Map<String, Object> fields() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("proto", Protocols.name(protocol));
        fields.put("src_ip", source().getHostAddress());
        fields.put("src_port", sourcePort);
        fields.put("dest_ip", destination().getHostAddress());
        fields.put("dest_port", destinationPort);
        if (outerVlan != 0) {
            fields.put("vlan", innerVlan == 0 ? List.of(outerVlan) : List.of(outerVlan, innerVlan));
        }
        return fields;
    }
}
