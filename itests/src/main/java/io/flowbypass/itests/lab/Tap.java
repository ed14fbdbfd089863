// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import java.util.List;

/**
 * Two hosts that talk over a hub, and a cable on which this one hears all of it. What a program cuts there, the hosts do not
 * miss:
 *
 * <pre>
 *   host A 10.77.0.1, fd77::1 ---+
 *                               hub --- fb{pid}t   (this namespace, no address)
 *   host B 10.77.0.2, fd77::2 ---+
 * </pre>
 *
 * <p>Each is a namespace of its own, with the addresses of {@link Lab}. A {@link Reaper} takes everything down, also when
 * this JVM is killed.
 */
public final class Tap extends Hosts {
    /** Builds it. */
    public Tap() {
        super("t", List.of("hub", "a", "b"), List.of(""));
        build(() -> {
            String hub = namespace("hub");
            // A bridge that forgets at once who is where sends everything everywhere.
            Shell.run("ip netns add " + hub
                    + "\nip -n " + hub + " link add hub type bridge ageing_time 0 mcast_snooping 0"
                    + "\nip -n " + hub + " link set hub up"
                    + "\nip link add " + cable() + " type veth peer name tap netns " + hub
                    + "\nip -n " + hub + " link set tap master hub up"
                    + "\necho 1 >/proc/sys/net/ipv6/conf/" + cable() + "/disable_ipv6"
                    + "\nethtool -K " + cable() + " gro off >/dev/null"
                    + "\nip link set " + cable() + " up");
            host("a", Lab.A, Lab.A6);
            host("b", Lab.B, Lab.B6);
        });
    }

    private void host(String host, String ip4, String ip6) {
        String ns = namespace(host);
        String hub = namespace("hub");
        Shell.run("ip netns add " + ns
                + "\nip -n " + ns + " link add eth0 type veth peer name port" + host + " netns " + hub
                + "\nip -n " + hub + " link set port" + host + " master hub up"
                + "\nip -n " + ns + " link set lo up"
                + "\nip -n " + ns + " link set eth0 up"
                + "\nip -n " + ns + " addr add " + ip4 + "/24 dev eth0"
                + "\nip -n " + ns + " addr add " + ip6 + "/64 dev eth0 nodad");
    }

    /** The interface at which everything arrives. */
    public String cable() {
        return cable("");
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
    public Capture monitor() {
        return captureAt(cable());
    }

    /** A capture of what goes into the cable, before XDP. */
    public Capture wire() {
        return captureOn("hub", "tap", "out");
    }
}
