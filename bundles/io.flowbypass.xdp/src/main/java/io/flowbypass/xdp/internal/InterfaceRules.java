// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import io.flowbypass.libbpf.Host;
import io.flowbypass.libbpf.NetworkOffloads;
import io.flowbypass.libbpf.XdpSockets;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * To which interfaces XDP may be attached. Asks {@code /proc/net}, which shows this process's network namespace, and not
 * {@code /sys/class/net}, which shows the one that {@code /sys} was mounted in.
 */
final class InterfaceRules {
    private static final Path PROC_NET = Path.of("/proc/net");
    private static final int ROUTE_MASK = 7;
    private static final int IPV6_ROUTE_INTERFACE = 9;
    private static final String IPV6_ZERO = "0".repeat(32);

    private InterfaceRules() {
    }

    /**
     * The index of an interface.
     *
     * @throws Refusal when there is none of that name
     */
    static int index(String name) throws Refusal {
        return Host.interfaceIndex(name).orElseThrow(() -> new Refusal("There is no network interface " + name
                + " in this network namespace; it has " + String.join(", ", names()) + "."));
    }

    /**
     * Checks that XDP on this interface would watch, and not sit in the way, and would see each packet as it was on the
     * wire.
     *
     * @param mode as configured
     * @param inlineAnyway allow an interface that this machine itself communicates through
     * @param vlanTracking whether VLAN ids are part of the key
     * @throws Refusal when it may not be attached to
     */
    static void check(String name, String mode, boolean inlineAnyway, boolean vlanTracking) throws Refusal {
        if (name.equals("lo")) {
            throw new Refusal("The loopback interface carries only this machine's talk with itself: attach to another one.");
        }
        Optional<String> parent = vlanParent(PROC_NET.resolve("vlan/config"), name);
        if (parent.isPresent()) {
            throw new Refusal(name + " is a VLAN on " + parent.get() + ": attach to " + parent.get() + ".");
        }
        Optional<String> bond = bondOf(PROC_NET.resolve("bonding"), name);
        if (bond.isPresent()) {
            throw new Refusal(name + " is a member of the bond " + bond.get() + ": attach to " + bond.get() + ".");
        }
        Optional<String> use = inlineAnyway ? Optional.empty() : ownUse(name);
        if (use.isPresent()) {
            throw new Refusal(name + " " + use.get() + ", so this machine's own connections, SSH included, run through it"
                    + " and XDP could cut them: attach to a port that only gets copies (tap, mirror), or insist with"
                    + " inline.anyway = true (./flowbypass run --inline-anyway).");
        }
        checkOffloads(name, NetworkOffloads.of(name), mode, vlanTracking);
        checkSockets(name, XdpSockets.queues(index(name)));
    }

    /**
     * Checks that XDP would see each packet as it was on the wire.
     *
     * @param mode in which it would run; GRO is behind XDP unless that is {@value Link#GENERIC}
     * @throws Refusal when it would not
     */
    static void checkOffloads(String name, NetworkOffloads offloads, String mode, boolean vlanTracking) throws Refusal {
        if (offloads.lro()) {
            throw switchedOn(name, "lro", "merges packets in hardware (LRO) before XDP sees them");
        }
        if (offloads.gro() && mode.equals(Link.GENERIC)) {
            throw switchedOn(name, "gro", "merges packets (GRO) before XDP in generic mode, behind the driver, sees them");
        }
        if (offloads.rxVlan() && vlanTracking) {
            throw switchedOn(name, "rxvlan", "takes the VLAN tags, which vlan.tracking = true is about, out of the packets"
                    + " before XDP sees them");
        }
    }

    private static Refusal switchedOn(String name, String feature, String what) {
        return new Refusal(name + " " + what + ": switch that off with ethtool -K " + name + " " + feature
                + " off (./flowbypass run --fix-offloads does, and ./flowbypass off switches it on again).");
    }

    /** Checks that no other program takes the packets by AF_XDP, with or without an XDP program of its own. */
    static void checkSockets(String name, Set<Integer> queues) throws Refusal {
        if (!queues.isEmpty()) {
            throw new Refusal("Another program has an AF_XDP socket on " + name + ", queue "
                    + queues.stream().map(String::valueOf).collect(Collectors.joining(", "))
                    + ": stop that program first (ss --xdp -p shows it).");
        }
    }

    /** What this machine itself uses an interface for. */
    private static Optional<String> ownUse(String name) throws Refusal {
        try {
            NetworkInterface withAddresses = NetworkInterface.getByName(name);
            if (withAddresses != null) {
                for (InetAddress address : Collections.list(withAddresses.getInetAddresses())) {
                    if (!address.isLinkLocalAddress() && !address.isLoopbackAddress()) {
                        return Optional.of("has the address " + address.getHostAddress().replaceAll("%.*", ""));
                    }
                }
            }
        } catch (IOException failed) {
            throw new Refusal("The addresses of " + name + " cannot be read: " + failed.getMessage() + ".", failed);
        }
        boolean routed = lines(PROC_NET.resolve("route")).stream().anyMatch(line -> isIpv4Default(line, name))
                || lines(PROC_NET.resolve("ipv6_route")).stream().anyMatch(line -> isIpv6Default(line, name));
        return routed ? Optional.of("has a default route") : Optional.empty();
    }

    /** A line of /proc/net/route: interface, destination, gateway, flags, count, use, metric, mask, ... */
    static boolean isIpv4Default(String line, String name) {
        String[] fields = line.strip().split("\\s+");
        return fields.length > ROUTE_MASK && fields[0].equals(name) && fields[1].equals("00000000")
                && fields[ROUTE_MASK].equals("00000000");
    }

    /** A line of /proc/net/ipv6_route: destination, its prefix length, source, ..., interface. */
    static boolean isIpv6Default(String line, String name) {
        String[] fields = line.strip().split("\\s+");
        return fields.length > IPV6_ROUTE_INTERFACE && fields[IPV6_ROUTE_INTERFACE].equals(name)
                && fields[0].equals(IPV6_ZERO) && fields[1].equals("00");
    }

    /** Lines of the VLAN list, after two of headings: interface | id | parent. */
    static Optional<String> vlanParent(Path config, String name) {
        return lines(config).stream().map(line -> line.split("\\|"))
                .filter(fields -> fields.length == 3 && fields[0].strip().equals(name))
                .map(fields -> fields[2].strip()).findFirst();
    }

    /** The bond, of those that have a file in this directory, that an interface is a member of. */
    static Optional<String> bondOf(Path bonds, String name) {
        if (Files.isDirectory(bonds)) {
            try (DirectoryStream<Path> all = Files.newDirectoryStream(bonds)) {
                for (Path bond : all) {
                    if (lines(bond).contains("Slave Interface: " + name)) {
                        return Optional.of(bond.getFileName().toString());
                    }
                }
            } catch (IOException unreadable) {
                return Optional.empty();
            }
        }
        return Optional.empty();
    }

    private static List<String> names() {
        return lines(PROC_NET.resolve("dev")).stream().filter(line -> line.contains(":"))
                .map(line -> line.substring(0, line.indexOf(':')).strip()).toList();
    }

    /** Nothing where the kernel has no such list: without VLANs, bonds or IPv6. */
    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException none) {
            return List.of();
        }
    }
}
