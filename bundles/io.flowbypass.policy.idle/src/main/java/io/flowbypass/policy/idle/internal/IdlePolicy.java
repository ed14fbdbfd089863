// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.policy.idle.internal;

import io.flowbypass.flow.Decision;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowTest;
import io.flowbypass.policy.ExpiryPolicy;
import io.flowbypass.policy.IdleTimeouts;
import io.flowbypass.policy.PolicyName;
import io.flowbypass.policy.Sweep;
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

    private static final Decision IDLE = Decision.end(EndReason.IDLE, "");

    /** What an operator can set. */
    @ObjectClassDefinition(name = "Expiry policy idle",
            description = "Ends flows that have been silent for too long. A flow's own timeout wins over these.")
    public @interface Config {
        /** Seconds for TCP. */
        @AttributeDefinition(name = "TCP idle timeout", min = "1", max = "604800",
                description = "A TCP flow ends after this many seconds without a packet in either direction.")
        int tcp_seconds() default IdleTimeouts.TCP_SECONDS;

        /** Seconds for UDP. */
        @AttributeDefinition(name = "UDP idle timeout", min = "1", max = "604800",
                description = "A UDP flow ends after this many seconds without a packet in either direction.")
        int udp_seconds() default IdleTimeouts.UDP_SECONDS;

        /** Seconds for ICMP and ICMPv6. */
        @AttributeDefinition(name = "ICMP idle timeout", min = "1", max = "604800",
                description = "An ICMP or ICMPv6 flow ends after this many seconds without a packet in either direction.")
        int icmp_seconds() default IdleTimeouts.ICMP_SECONDS;

        /** Seconds for any other protocol. */
        @AttributeDefinition(name = "Idle timeout of other protocols", min = "1", max = "604800",
                description = "A flow of any other protocol ends after this many seconds without a packet in either"
                        + " direction.")
        int other_seconds() default IdleTimeouts.OTHER_SECONDS;
    }

    private volatile IdleTimeouts timeouts;

    /** Takes the configuration, at the start and whenever it changes. */
    @Activate
    @Modified
    public void configure(Config config) {
        timeouts = IdleTimeouts.ofSeconds(PID, config.tcp_seconds(), config.udp_seconds(), config.icmp_seconds(),
                config.other_seconds());
    }

    @Override
    public FlowTest begin(Sweep sweep) {
        IdleTimeouts now = timeouts;
        return flow -> flow.idleNanos() >= now.of(flow) ? IDLE : Decision.KEEP;
    }
}
