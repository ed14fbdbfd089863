// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Two hosts in namespaces of their own, each on a cable to this one:
 *
 * <pre>
 *   host A 10.77.0.1, fd77::1  ----- fb{pid}a   (this namespace, no address)
 *   host B 10.77.0.2, fd77::2  ----- fb{pid}b   (this namespace, no address)
 * </pre>
 *
 * <p>What A sends to B arrives at {@link #cableA}, the answers of B to A at {@link #cableB}: a program on both sees a
 * whole conversation. Neighbours are static, so nothing but the tests' packets travels.
 */
public final class Lab extends Hosts {
    /** Addresses of host A. */
    public static final String A = "10.77.0.1";
    /** Addresses of host A. */
    public static final String A6 = "fd77::1";
    /** Addresses of host B. */
    public static final String B = "10.77.0.2";
    /** Addresses of host B. */
    public static final String B6 = "fd77::2";

    /** Builds it. */
    public Lab() {
        super("n", List.of("a", "b", "c"), List.of("a", "b", "c"));
        build(() -> {
            host("a", A, A6, B, B6);
            host("b", B, B6, A, A6);
        });
    }

    /** The interface at which packets of host A arrive. */
    public String cableA() {
        return cable("a");
    }

    /** The interface at which packets of host B arrive. */
    public String cableB() {
        return cable("b");
    }

    /**
     * Builds a third host on a cable of its own, with the addresses of B: what is redirected there can be for it. Returns the
     * cable.
     */
    public String hostC() {
        host("c", B, B6, A, A6);
        // A veth takes redirected packets only when its peer polls (drivers/net/veth.c, veth_xdp_xmit). And a redirect
        // forgets that a checksum is still to be made, so host A has to make its own.
        Shell.run("nsenter --net=/run/netns/" + namespace("c") + " ethtool -K eth0 gro on"
                + "\nnsenter --net=/run/netns/" + namespace("a") + " ethtool -K eth0 tx off >/dev/null");
        return cable("c");
    }

    /** The MAC address of host C. */
    public String macOfC() {
        return Shell.run("ip -n " + namespace("c") + " -br link show dev eth0").strip().split("\\s+")[2];
    }

    /** A sender on host C. */
    public Sender senderC() {
        return senderOn("c");
    }

    /** A capture on host C. */
    public Capture captureOnC() {
        return captureOn("c", "eth0", "in");
    }

    /** Lets packets on the cable of host A be that large. */
    public void setMtuOfA(int bytes) {
        Shell.run("ip link set " + cableA() + " mtu " + bytes + "\nip -n " + namespace("a") + " link set eth0 mtu " + bytes);
    }

    /** Takes the cable of host A away, with the interfaces at both its ends. */
    public void unplugA() {
        Shell.run("ip link del " + cableA());
    }

    /** Gives host A a new cable like the one that was taken away. */
    public void plugA() {
        plug("a", A, A6, B, B6);
    }

    /** A sender on host A. */
    public Sender senderA() {
        return senderOn("a");
    }

    /** A sender on host B. */
    public Sender senderB() {
        return senderOn("b");
    }

    /** A capture behind XDP, as a monitor has it. */
    public Capture capture(String cable) {
        return captureAt(cable);
    }

    /** Packets that reached an interface, whatever XDP did with them. */
    public static long received(String cable) {
        return Long.parseLong(Shell.run("cat /sys/class/net/" + cable + "/statistics/rx_packets").strip());
    }

    private void host(String host, String ip4, String ip6, String peer4, String peer6) {
        Shell.run("ip netns add " + namespace(host));
        plug(host, ip4, ip6, peer4, peer6);
    }

    private void plug(String host, String ip4, String ip6, String peer4, String peer6) {
        String ns = namespace(host);
        String cable = cable(host);
        Shell.run("ip link add " + cable + " type veth peer name eth0 netns " + ns
                + "\necho 1 >/proc/sys/net/ipv6/conf/" + cable + "/disable_ipv6"
                + "\nethtool -K " + cable + " gro off rxvlan off >/dev/null"
                + "\nip link set " + cable + " up"
                + "\nmac=$(cat /sys/class/net/" + cable + "/address)"
                + "\nip -n " + ns + " link set lo up"
                + "\nip -n " + ns + " link set eth0 up"
                + "\nip -n " + ns + " addr add " + ip4 + "/24 dev eth0"
                + "\nip -n " + ns + " addr add " + ip6 + "/64 dev eth0 nodad"
                + "\nip -n " + ns + " neigh add " + peer4 + " lladdr $mac dev eth0 nud permanent"
                + "\nip -n " + ns + " neigh add " + peer6 + " lladdr $mac dev eth0 nud permanent");
    }

    /** Sends lines to a process. */
    static PrintStream lines(Process process) {
        return new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
    }
}
