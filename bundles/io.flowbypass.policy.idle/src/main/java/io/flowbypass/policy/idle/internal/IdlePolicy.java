// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.policy.idle.internal;

import io.flowbypass.flow.Decision;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowTest;
import io.flowbypass.flow.FlowView;
import io.flowbypass.flow.Protocols;
import io.flowbypass.policy.ExpiryPolicy;
import io.flowbypass.policy.PolicyName;
import io.flowbypass.policy.Sweep;
import java.util.concurrent.TimeUnit;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/**
 * Ends flows without a packet in either direction for as long as their protocol's timeout, or their own where they were
 * given one.
 *
 * <p>Thread-safe. A configuration out of range is refused with {@link IllegalArgumentException}; on a change the old
 * values then stay in force.
 */
@Component(configurationPid = IdlePolicy.PID)
@PolicyName("idle")
@Designate(ocd = IdlePolicy.Config.class)
public final class IdlePolicy implements ExpiryPolicy {
    static final String PID = "io.flowbypass.policy.idle";

    private static final int MAX_SECONDS = 604800;
    private static final int ICMP = 1;
    private static final int ICMPV6 = 58;
    private static final Decision IDLE = Decision.end(EndReason.IDLE, "");

    /** What an operator can set. */
    @ObjectClassDefinition(name = "Expiry policy idle",
            description = "Ends flows that have been silent for too long. A flow's own timeout wins over these.")
    public @interface Config {
        /** Seconds for TCP. */
        @AttributeDefinition(name = "TCP idle timeout", min = "1", max = "604800",
                description = "A TCP flow ends after this many seconds without a packet in either direction.")
        int tcp_seconds() default 300;

        /** Seconds for UDP. */
        @AttributeDefinition(name = "UDP idle timeout", min = "1", max = "604800",
                description = "A UDP flow ends after this many seconds without a packet in either direction.")
        int udp_seconds() default 60;

        /** Seconds for ICMP and ICMPv6. */
        @AttributeDefinition(name = "ICMP idle timeout", min = "1", max = "604800",
                description = "An ICMP or ICMPv6 flow ends after this many seconds without a packet in either direction.")
        int icmp_seconds() default 30;

        /** Seconds for any other protocol. */
        @AttributeDefinition(name = "Idle timeout of other protocols", min = "1", max = "604800",
                description = "A flow of any other protocol ends after this many seconds without a packet in either"
                        + " direction.")
        int other_seconds() default 30;
    }

    /** The timeouts of one sweep, in nanoseconds. */
    private record Timeouts(long tcp, long udp, long icmp, long other) implements FlowTest {
        @Override
        public Decision decide(FlowView flow) {
            long timeout = flow.idleTimeoutNanos(ofProtocol(flow.protocol()));
            return flow.idleNanos() >= timeout ? IDLE : Decision.KEEP;
        }

        private long ofProtocol(int protocol) {
            return switch (protocol) {
                case Protocols.TCP -> tcp;
                case Protocols.UDP -> udp;
                case ICMP, ICMPV6 -> icmp;
                default -> other;
            };
        }
    }

    private volatile Timeouts timeouts;

    /** Takes the configuration, at the start and whenever it changes. */
    @Activate
    @Modified
    public void configure(Config config) {
        timeouts = new Timeouts(
                nanos("tcp.seconds", config.tcp_seconds()),
                nanos("udp.seconds", config.udp_seconds()),
                nanos("icmp.seconds", config.icmp_seconds()),
                nanos("other.seconds", config.other_seconds()));
    }

    @Override
    public FlowTest begin(Sweep sweep) {
        return timeouts;
    }

    private static long nanos(String key, int seconds) {
        if (seconds < 1 || seconds > MAX_SECONDS) {
            throw new IllegalArgumentException(
                    key + " = " + seconds + " in " + PID + " is out of range: set 1 to " + MAX_SECONDS + " seconds");
        }
        return TimeUnit.SECONDS.toNanos(seconds);
    }
}
