// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.policy;

import io.flowbypass.flow.FlowView;
import io.flowbypass.flow.Protocols;
import java.util.concurrent.TimeUnit;

/**
 * Idle timeouts by protocol, in nanoseconds. Immutable.
 *
 * @param tcp of TCP
 * @param udp of UDP
 * @param icmp of ICMP and ICMPv6
 * @param other of any other protocol
 */
public record IdleTimeouts(long tcp, long udp, long icmp, long other) {
    /** What is usual for TCP: a flow that wakes after its end is midstream, and no monitor asks for it again. */
    public static final int TCP_SECONDS = 300;
    /** What is usual for UDP. */
    public static final int UDP_SECONDS = 60;
    /** What is usual for ICMP and ICMPv6. */
    public static final int ICMP_SECONDS = 30;
    /** What is usual for any other protocol. */
    public static final int OTHER_SECONDS = 30;
    /** The longest, a week. */
    public static final int MAX_SECONDS = 604800;

    private static final int ICMP = 1;

    /**
     * Of what a configuration says, in seconds.
     *
     * @param pid of the configuration, for the message
     * @throws IllegalArgumentException when one is not in 1 to {@value #MAX_SECONDS}
     */
    public static IdleTimeouts ofSeconds(String pid, int tcp, int udp, int icmp, int other) {
        return new IdleTimeouts(nanos(pid, "tcp.seconds", tcp), nanos(pid, "udp.seconds", udp),
                nanos(pid, "icmp.seconds", icmp), nanos(pid, "other.seconds", other));
    }

    private static long nanos(String pid, String key, int seconds) {
        return TimeUnit.SECONDS.toNanos(Bounds.check(pid, key, seconds, 1, MAX_SECONDS, "seconds"));
    }

    /** That of a flow, in nanoseconds: its own, where it was given one. */
    public long of(FlowView flow) {
        return flow.idleTimeoutNanos(switch (flow.protocol()) {
            case Protocols.TCP -> tcp;
            case Protocols.UDP -> udp;
            case ICMP, Protocols.ICMPV6 -> icmp;
            default -> other;
        });
    }
}
