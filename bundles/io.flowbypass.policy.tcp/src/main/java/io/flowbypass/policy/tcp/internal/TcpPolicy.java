// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.policy.tcp.internal;

import io.flowbypass.flow.Decision;
import io.flowbypass.flow.Direction;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowTest;
import io.flowbypass.flow.FlowView;
import io.flowbypass.flow.Protocols;
import io.flowbypass.policy.Bounds;
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
 * Ends flows of TCP connections that were reset or closed, a short while after their last packet, so that what is sent again is
 * cut too.
 *
 * <p>Thread-safe. A configuration out of range is refused with {@link IllegalArgumentException}; on a change the old
 * values then stay in force.
 */
@Component(configurationPid = TcpPolicy.PID, property = "service.ranking:Integer=300")
@PolicyName("tcp")
@Designate(ocd = TcpPolicy.Config.class)
public final class TcpPolicy implements ExpiryPolicy {
    static final String PID = "io.flowbypass.policy.tcp";

    private static final int MAX_SECONDS = 86400;
    /** TCP flags, RFC 9293. */
    private static final int FIN = 1;
    private static final int RST = 4;
    private static final Decision RESET = Decision.end(EndReason.TCP_RESET, "");
    private static final Decision CLOSED = Decision.end(EndReason.TCP_CLOSED, "");
    private static final Decision HALF_CLOSED = Decision.end(EndReason.TCP_CLOSED, "half-closed");

    /** What an operator can set. */
    @ObjectClassDefinition(name = "Expiry policy tcp",
            description = "Ends flows whose TCP connection is over, a while after their last packet.")
    public @interface Config {
        /** Seconds after a reset. */
        @AttributeDefinition(name = "Linger after a reset", min = "1", max = "86400",
                description = "A flow in which a RST was seen ends after this many seconds without a packet in either"
                        + " direction.")
        int reset_seconds() default 5;

        /** Seconds after both have closed. */
        @AttributeDefinition(name = "Linger after the close", min = "1", max = "86400",
                description = "A flow in which both sides sent a FIN ends after this many seconds without a packet in"
                        + " either direction.")
        int closed_seconds() default 10;

        /** Seconds after one has closed. */
        @AttributeDefinition(name = "Linger while half-closed", min = "1", max = "86400",
                description = "A flow in which one side sent a FIN ends after this many seconds without a packet in either"
                        + " direction.")
        int half_closed_seconds() default 60;
    }

    /** The lingers of one sweep, in nanoseconds. */
    private record Lingers(long reset, long closed, long halfClosed) implements FlowTest {
        @Override
        public Decision decide(FlowView flow) {
            if (flow.protocol() != Protocols.TCP) {
                return Decision.KEEP;
            }
            int there = flow.tcpFlags(Direction.FORWARD);
            int back = flow.tcpFlags(Direction.REVERSE);
            if (((there | back) & RST) != 0) {
                return flow.idleNanos() >= reset ? RESET : Decision.KEEP;
            }
            if ((there & back & FIN) != 0) {
                return flow.idleNanos() >= closed ? CLOSED : Decision.KEEP;
            }
            return ((there | back) & FIN) != 0 && flow.idleNanos() >= halfClosed ? HALF_CLOSED : Decision.KEEP;
        }
    }

    private volatile Lingers lingers;

    /** Takes the configuration, at the start and whenever it changes. */
    @Activate
    @Modified
    public void configure(Config config) {
        lingers = new Lingers(nanos("reset.seconds", config.reset_seconds()),
                nanos("closed.seconds", config.closed_seconds()),
                nanos("half.closed.seconds", config.half_closed_seconds()));
    }

    @Override
    public FlowTest begin(Sweep sweep) {
        return lingers;
    }

    private static long nanos(String key, int seconds) {
        return TimeUnit.SECONDS.toNanos(Bounds.check(PID, key, seconds, 1, MAX_SECONDS, "seconds"));
    }
}
