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
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

/** A bundle with a policy of its own, {@code spare}: it ends every UDP flow from port 5151, and takes its time. */
public final class SparePolicy implements BundleActivator, ExpiryPolicy, FlowTest {
    /** The port whose flows it ends. */
    static final int ENDS_PORT = 5151;
    private static final Decision END = Decision.end(EndReason.POLICY, "");

    @Override
    public void start(BundleContext context) {
        context.registerService(ExpiryPolicy.class, this,
                new Hashtable<>(Map.of("flowbypass.policy.name", "spare", "service.ranking", -1)));
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
        return flow.key().sourcePort() == ENDS_PORT ? END : Decision.KEEP;
    }
}
