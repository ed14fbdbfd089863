// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.policy.lifetime.internal;

import io.flowbypass.flow.Decision;
import io.flowbypass.flow.Direction;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowTest;
import io.flowbypass.flow.FlowView;
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
 * Ends a bypass after a maximum age or volume even where the flow is busy, so that the monitor gets another look at it. Both are
 * off as shipped: what a monitor sees of a TCP connection from its middle on teaches it little.
 *
 * <p>Thread-safe. A configuration out of range is refused with {@link IllegalArgumentException}; on a change the old
 * values then stay in force.
 */
@Component(configurationPid = LifetimePolicy.PID, property = "service.ranking:Integer=200")
@PolicyName("lifetime")
@Designate(ocd = LifetimePolicy.Config.class)
public final class LifetimePolicy implements ExpiryPolicy {
    static final String PID = "io.flowbypass.policy.lifetime";

    private static final int MAX_SECONDS = 31_536_000;
    private static final long MAX_BYTES = 1L << 60;
    private static final Decision AGE = Decision.end(EndReason.LIFETIME, "age");
    private static final Decision VOLUME = Decision.end(EndReason.LIFETIME, "volume");

    /** What an operator can set. */
    @ObjectClassDefinition(name = "Expiry policy lifetime",
            description = "Ends flows after a maximum age or volume, busy or not, so that the monitor gets another look.")
    public @interface Config {
        /** Seconds. */
        @AttributeDefinition(name = "Maximum age", min = "0", max = "31536000",
                description = "A flow ends this many seconds after its bypass; 0 for no limit.")
        int max_seconds() default 0;

        /** Bytes. */
        @AttributeDefinition(name = "Maximum volume", min = "0", max = "1152921504606846976",
                description = "A flow ends once this many bytes of both its directions were cut; 0 for no limit.")
        long max_bytes() default 0;
    }

    private volatile FlowTest test;

    /** Takes the configuration, at the start and whenever it changes. */
    @Activate
    @Modified
    public void configure(Config config) {
        int seconds = Bounds.check(PID, "max.seconds", config.max_seconds(), 0, MAX_SECONDS, "seconds");
        long bytes = Bounds.check(PID, "max.bytes", config.max_bytes(), 0, MAX_BYTES, "bytes");
        long age = seconds == 0 ? Long.MAX_VALUE : TimeUnit.SECONDS.toNanos(seconds);
        long volume = bytes == 0 ? Long.MAX_VALUE : bytes;
        test = flow -> decide(flow, age, volume);
    }

    @Override
    public FlowTest begin(Sweep sweep) {
        return test;
    }

    private static Decision decide(FlowView flow, long age, long volume) {
        if (flow.ageNanos() >= age) {
            return AGE;
        }
        if (volume == Long.MAX_VALUE) { // to ask for bytes is dear
            return Decision.KEEP;
        }
        return flow.bytes(Direction.FORWARD) + flow.bytes(Direction.REVERSE) >= volume ? VOLUME : Decision.KEEP;
    }
}
