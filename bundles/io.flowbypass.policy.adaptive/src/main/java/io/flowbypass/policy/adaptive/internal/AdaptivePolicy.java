// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.policy.adaptive.internal;

import io.flowbypass.flow.Decision;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowTest;
import io.flowbypass.policy.Bounds;
import io.flowbypass.policy.ExpiryPolicy;
import io.flowbypass.policy.IdleTimeouts;
import io.flowbypass.policy.PolicyName;
import io.flowbypass.policy.Sweep;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/**
 * Shortens idle timeouts, those of flows of their own too, as the table fills:
 *
 * <pre>
 *   100 % ------------.
 *                      `.
 *                        `.
 *   floor                  `---------
 *         0         start   end   100 % of the table
 * </pre>
 *
 * <p>Below the first mark it keeps every flow, and leaves idle timeouts to the policy idle. A second mark that is not
 * higher is no error, for the two are set one after the other: timeouts are at their floor above the first one.
 *
 * <p>Thread-safe. A configuration out of range is refused with {@link IllegalArgumentException}; on a change the old
 * values then stay in force.
 */
@Component(configurationPid = AdaptivePolicy.PID, property = "service.ranking:Integer=100")
@PolicyName("adaptive")
@Designate(ocd = AdaptivePolicy.Config.class)
public final class AdaptivePolicy implements ExpiryPolicy {
    static final String PID = "io.flowbypass.policy.adaptive";

    private static final double PERCENT = 100;
    private static final Decision IDLE = Decision.end(EndReason.IDLE, "");

    /** What an operator can set. */
    @ObjectClassDefinition(name = "Expiry policy adaptive",
            description = "Shortens idle timeouts, those of flows of their own too, as the table fills between two marks.")
    public @interface Config {
        /** Percent. */
        @AttributeDefinition(name = "First mark", min = "0", max = "99",
                description = "Timeouts get shorter once this much of the table is taken; below it this policy ends no flow.")
        int start_percent() default 80;

        /** Percent. */
        @AttributeDefinition(name = "Second mark", min = "1", max = "100",
                description = "Timeouts are at their floor once this much of the table is taken; where that is not higher"
                        + " than the first mark, right from there on.")
        int end_percent() default 100;

        /** Percent. */
        @AttributeDefinition(name = "Floor", min = "1", max = "100",
                description = "No timeout gets shorter than this part of itself.")
        int floor_percent() default 10;

        /** Seconds for TCP. */
        @AttributeDefinition(name = "TCP idle timeout", min = "1", max = "604800",
                description = "The timeout of TCP flows that is shortened.")
        int tcp_seconds() default IdleTimeouts.TCP_SECONDS;

        /** Seconds for UDP. */
        @AttributeDefinition(name = "UDP idle timeout", min = "1", max = "604800",
                description = "The timeout of UDP flows that is shortened.")
        int udp_seconds() default IdleTimeouts.UDP_SECONDS;

        /** Seconds for ICMP and ICMPv6. */
        @AttributeDefinition(name = "ICMP idle timeout", min = "1", max = "604800",
                description = "The timeout of ICMP and ICMPv6 flows that is shortened.")
        int icmp_seconds() default IdleTimeouts.ICMP_SECONDS;

        /** Seconds for any other protocol. */
        @AttributeDefinition(name = "Idle timeout of other protocols", min = "1", max = "604800",
                description = "The timeout of flows of any other protocol that is shortened.")
        int other_seconds() default IdleTimeouts.OTHER_SECONDS;
    }

    /** What was configured. */
    private record Curve(int start, int end, double floor, IdleTimeouts timeouts) {
        /** What part of a timeout is left with so much of the table taken. */
        double factor(double percent) {
            if (percent <= start) {
                return 1;
            }
            return percent >= end ? floor : Math.max(floor, (end - percent) / (end - start));
        }
    }

    private volatile Curve curve;
    /** That of the last sweep. */
    private volatile double factor = 1;

    /** Takes the configuration, at the start and whenever it changes. */
    @Activate
    @Modified
    public void configure(Config config) {
        int start = Bounds.check(PID, "start.percent", config.start_percent(), 0, 99, "percent");
        int end = Bounds.check(PID, "end.percent", config.end_percent(), 1, 100, "percent");
        int floor = Bounds.check(PID, "floor.percent", config.floor_percent(), 1, 100, "percent");
        curve = new Curve(start, end, floor / PERCENT, IdleTimeouts.ofSeconds(PID, config.tcp_seconds(),
                config.udp_seconds(), config.icmp_seconds(), config.other_seconds()));
    }

    @Override
    public FlowTest begin(Sweep sweep) {
        Curve now = curve;
        double left = sweep.capacity() == 0 ? 1 : now.factor(PERCENT * sweep.activeFlows() / sweep.capacity());
        factor = left;
        if (left >= 1) {
            return flow -> Decision.KEEP;
        }
        IdleTimeouts timeouts = now.timeouts;
        return flow -> flow.idleNanos() >= (long) (timeouts.of(flow) * left) ? IDLE : Decision.KEEP;
    }

    /** What is left of the timeouts, and what they are, as of the last sweep. */
    @Override
    public Map<String, Double> readings() {
        Curve now = curve;
        double left = factor;
        Map<String, Double> readings = new TreeMap<>();
        readings.put("now.percent", left * PERCENT);
        readings.put("now.tcp.seconds", seconds(now.timeouts.tcp(), left));
        readings.put("now.udp.seconds", seconds(now.timeouts.udp(), left));
        readings.put("now.icmp.seconds", seconds(now.timeouts.icmp(), left));
        readings.put("now.other.seconds", seconds(now.timeouts.other(), left));
        return readings;
    }

    private static double seconds(long nanos, double factor) {
        return nanos * factor / TimeUnit.SECONDS.toNanos(1);
    }
}
