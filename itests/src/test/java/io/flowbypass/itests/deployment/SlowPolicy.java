// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import io.flowbypass.flow.Decision;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowTest;
import io.flowbypass.flow.FlowView;
import io.flowbypass.policy.ExpiryPolicy;
import io.flowbypass.policy.Sweep;
import java.util.Hashtable;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

/** A bundle with a policy that takes 50 ms for each flow, so that something can happen in the middle of a sweep. */
public final class SlowPolicy implements BundleActivator, ExpiryPolicy, FlowTest {
    /** System property: set to "yes" by each decision. */
    static final String INSIDE = "flowbypass.slow.inside";
    private static final Decision END = Decision.end(EndReason.POLICY, "");

    @Override
    public void start(BundleContext context) {
        context.registerService(ExpiryPolicy.class, this, new Hashtable<>(Map.of("flowbypass.policy.name", "slow")));
    }

    @Override
    public void stop(BundleContext context) {
        // The framework takes the service back.
    }

    @Override
    public FlowTest begin(Sweep sweep) {
        return this;
    }

    @Override
    public Decision decide(FlowView flow) {
        System.setProperty(INSIDE, "yes");
        LockSupport.parkNanos(50_000_000);
        // Reads the table's memory, which must still be mapped.
        return flow.idleNanos() < 0 ? END : Decision.KEEP;
    }
}
