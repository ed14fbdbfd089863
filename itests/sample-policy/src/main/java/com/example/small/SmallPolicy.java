// SPDX-License-Identifier: Apache-2.0
package com.example.small;

import io.flowbypass.flow.Decision;
import io.flowbypass.flow.Direction;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowTest;
import io.flowbypass.policy.ExpiryPolicy;
import io.flowbypass.policy.PolicyName;
import io.flowbypass.policy.Sweep;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Ends flows that cut too little to be worth their slots. */
@Component(configurationPid = "com.example.small")
@PolicyName("small")
@Designate(ocd = SmallPolicy.Config.class)
public final class SmallPolicy implements ExpiryPolicy {
    @ObjectClassDefinition(description = "Ends flows that cut too little.")
    @interface Config {
        @AttributeDefinition(min = "1", max = "86400", description = "A flow is judged this many seconds after its bypass.")
        int age_seconds() default 60;

        @AttributeDefinition(min = "1", max = "1000000", description = "With fewer packets by then, it ends.")
        int least_packets() default 100;
    }

    private static final Decision SMALL = Decision.end(EndReason.POLICY, "too few packets");
    private volatile Config config;

    @Activate
    @Modified
    void configure(Config changed) {
        config = changed;
    }

    @Override
    public FlowTest begin(Sweep sweep) {
        long age = config.age_seconds() * 1_000_000_000L;
        long least = config.least_packets();
        return flow -> flow.ageNanos() >= age
                && flow.packets(Direction.FORWARD) + flow.packets(Direction.REVERSE) < least ? SMALL : Decision.KEEP;
    }
}
