// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.NeverCutException;
import io.flowbypass.flow.Protocols;
import io.flowbypass.maps.Mapping;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** A list of what is never cut, whoever asks. Immutable. */
record NeverCut(List<Entry> entries) {
    private static final int MAX_PORT = 65535;

    NeverCut {
        entries = List.copyOf(entries);
    }

    /**
     * Flows one of whose addresses lies in a prefix, and one of whose ports is the port.
     *
     * @param text what it is called in messages
     * @param prefix a key whose source is the prefix's first address
     * @param bits its length
     * @param protocol IANA number; 0 for any
     * @param port 1 to 65535; 0 for any
     */
    record Entry(String text, FlowKey prefix, int bits, int protocol, int port) {
        private static final int PARTS = 2;

        /**
         * Reads {@code 192.0.2.0/24}, {@code 2001:db8::1 tcp} or {@code 0.0.0.0/0 udp/53}.
         *
         * @throws IllegalArgumentException when it is another text
         */
        static Entry of(String text) {
            String[] parts = text.strip().split("\\s+");
            String[] prefix = parts[0].split("/", -1);
            String[] service = parts.length == 1 ? new String[] {""} : parts[1].split("/", -1);
            if (parts.length > PARTS || prefix.length > PARTS || service.length > PARTS) {
                throw bad(text, "write a prefix, and a protocol or a protocol, a slash and a port if need be, such as"
                        + " 192.0.2.0/24 or 2001:db8::1 tcp/22");
            }
            try {
                FlowKey address = FlowKey.of(0, prefix[0], 0, prefix[0], 0);
                int longest = address.isIpv6() ? 2 * Long.SIZE : Integer.SIZE;
                int bits = prefix.length == 1 ? longest : number(prefix[1], 0, longest, "prefix length");
                int protocol = service[0].isEmpty() ? 0 : Protocols.parse(service[0]);
                int port = service.length == 1 ? 0 : number(service[1], 1, MAX_PORT, "port");
                if (port != 0 && !Protocols.hasPorts(protocol)) {
                    throw bad(text, Protocols.name(protocol) + " has no ports");
                }
                return new Entry(text.strip(), masked(address, bits), bits, protocol, port);
            } catch (IllegalArgumentException wrong) {
                throw wrong.getMessage().startsWith("never.cut") ? wrong : bad(text, wrong.getMessage());
            }
        }

        /** An address of this machine. */
        static Entry ofOwn(FlowKey address) {
            return new Entry("", address, address.isIpv6() ? 2 * Long.SIZE : Integer.SIZE, 0, 0);
        }

        private static int number(String text, int least, int most, String what) {
            if (!text.matches("\\d{1,5}") || Integer.parseInt(text) < least || Integer.parseInt(text) > most) {
                throw new IllegalArgumentException(what + " \"" + text + "\" is not a number from " + least + " to " + most);
            }
            return Integer.parseInt(text);
        }

        private static IllegalArgumentException bad(String text, String why) {
            return new IllegalArgumentException("never.cut has \"" + text.strip() + "\": " + why);
        }

        private static FlowKey masked(FlowKey address, int bits) {
            long high = address.sourceHigh() & maskHigh(address.isIpv6(), bits);
            long low = address.sourceLow() & maskLow(address.isIpv6(), bits);
            return FlowKey.ofHalves(address.isIpv6(), 0, high, low, 0, high, low, 0);
        }

        private static long maskHigh(boolean ipv6, int bits) {
            return ipv6 ? ones(Math.min(bits, Long.SIZE)) : 0;
        }

        /** For IPv4 the low half of the second word. */
        private static long maskLow(boolean ipv6, int bits) {
            return ipv6 ? ones(Math.max(0, bits - Long.SIZE)) : ones(bits) >>> Integer.SIZE;
        }

        /** A word whose highest bits are set. */
        private static long ones(int bits) {
            return bits == 0 ? 0 : -1L << Long.SIZE - bits;
        }

        /** Whether it names the same flows, however it is written. */
        boolean isSameAs(Entry other) {
            return prefix.equals(other.prefix) && bits == other.bits && protocol == other.protocol && port == other.port;
        }

        boolean isOwn() {
            return text.isEmpty();
        }

        boolean names(FlowKey flow) {
            boolean all = flow.protocol() == 0;
            return flow.isIpv6() == prefix.isIpv6() && (all || protocol == 0 || protocol == flow.protocol())
                    && (all || port == 0 || port == flow.sourcePort() || port == flow.destinationPort())
                    && (contains(flow.sourceHigh(), flow.sourceLow())
                            || contains(flow.destinationHigh(), flow.destinationLow()));
        }

        private boolean contains(long high, long low) {
            return (high & maskHigh(prefix.isIpv6(), bits)) == prefix.sourceHigh()
                    && (low & maskLow(prefix.isIpv6(), bits)) == prefix.sourceLow();
        }

        /** Writes it as {@code struct fb_never}. */
        void write(Mapping never, int number) {
            boolean ipv6 = prefix.isIpv6();
            int at = number * Layout.NEVER_BYTES;
            long maskHigh = maskHigh(ipv6, bits);
            long maskLow = maskLow(ipv6, bits);
            never.setLong(at + Layout.NEVER_ADDR, first(ipv6, prefix.sourceHigh(), prefix.sourceLow()));
            never.setLong(at + Layout.NEVER_ADDR + Long.BYTES, second(ipv6, prefix.sourceLow()));
            never.setLong(at + Layout.NEVER_MASK, first(ipv6, maskHigh, maskLow));
            never.setLong(at + Layout.NEVER_MASK + Long.BYTES, second(ipv6, maskLow));
            never.setInt(at + Layout.NEVER_PORT, Short.toUnsignedInt(Short.reverseBytes((short) port))
                    | protocol << Layout.NEVER_PROTO_SHIFT | (ipv6 ? 6 : 4) << Layout.NEVER_FAMILY_SHIFT);
        }

        private static long first(boolean ipv6, long high, long low) {
            return ipv6 ? Long.reverseBytes(high) : Integer.toUnsignedLong(Integer.reverseBytes((int) low));
        }

        private static long second(boolean ipv6, long low) {
            return ipv6 ? Long.reverseBytes(low) : 0;
        }
    }

    /**
     * Reads entries that are separated by commas.
     *
     * @throws IllegalArgumentException naming the entry that is none
     */
    static List<Entry> list(String text) {
        return Arrays.stream(text.split(",")).filter(entry -> !entry.isBlank()).map(Entry::of).toList();
    }

    /** The list of this machine's addresses, and behind them what is configured. */
    static NeverCut of(List<FlowKey> own, List<Entry> configured) {
        List<Entry> all = new ArrayList<>(own.stream().map(Entry::ofOwn).toList());
        all.addAll(configured);
        return new NeverCut(all);
    }

    /** Whether the kernel has room for it, so that automatic cut-off can keep to it. */
    boolean fitsKernel() {
        return entries.size() <= Layout.NEVER;
    }

    /** The entry that names a flow. */
    Optional<Entry> naming(FlowKey flow) {
        for (Entry entry : entries) {
            if (entry.names(flow)) {
                return Optional.of(entry);
            }
        }
        return Optional.empty();
    }

    /**
     * Refuses a flow that it names.
     *
     * @throws NeverCutException naming the entry
     */
    void refuse(FlowKey flow) {
        naming(flow).ifPresent(entry -> {
            throw new NeverCutException(entry.isOwn()
                    ? flow + " has an address of this machine, " + entry.prefix().source().getHostAddress()
                            + ": its own traffic is never cut"
                    : flow + " is never cut: the never-cut list has \"" + entry.text() + "\" (never.cut in"
                            + " io.flowbypass.table)");
        });
    }
}
