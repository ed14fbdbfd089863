// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.health.internal;

import io.flowbypass.expiry.Expiry;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.apache.felix.hc.api.HealthCheck;
import org.apache.felix.hc.api.Result;
import org.apache.felix.hc.api.Result.Status;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** Whether flows expire: sweeps are made, in time, by every policy that was chosen. Thread-safe. */
@Component(property = {HealthCheck.NAME + "=Flowbypass: sweeps on time", HealthCheck.TAGS + "=flowbypass",
        HealthCheck.MBEAN_NAME + "=flowbypass.sweeps"})
public final class SweepsCheck implements HealthCheck {
    /** What a sweep may take beyond its interval: a policy that hangs is given up after 2 s. */
    private static final long PATIENCE_MILLIS = 5000;

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    volatile Expiry expiry;
    private final LongSupplier clock;
    private long lastSweeps = -1;
    private long lastProgress;

    /** By the monotonic clock. */
    @Activate
    public SweepsCheck() {
        this(System::nanoTime);
    }

    SweepsCheck(LongSupplier clock) {
        this.clock = clock;
    }

    @Override
    public synchronized Result execute() {
        Expiry now = expiry;
        if (now == null) {
            return new Result(Status.CRITICAL, "expiry is not running, so no flow ends by itself: start the bundle io.flowbypass.expiry");
        }
        long sweeps = now.sweeps();
        if (sweeps != lastSweeps) {
            lastSweeps = sweeps;
            lastProgress = clock.getAsLong();
        }
        long quiet = TimeUnit.NANOSECONDS.toMillis(clock.getAsLong() - lastProgress);
        int interval = now.sweepIntervalMillis();
        if (quiet > interval + PATIENCE_MILLIS) {
            return new Result(Status.CRITICAL, "no sweep for " + quiet + " ms, with an interval of " + interval
                    + " ms: no flow ends by itself; look in the log for a policy that hangs");
        }
        if (!now.quarantinedPolicies().isEmpty()) {
            return new Result(Status.WARN, "policies that failed are not asked any more: " + now.quarantinedPolicies());
        }
        if (now.activePolicies().isEmpty()) {
            return new Result(Status.WARN, "no policy is active, so no flow ends by itself");
        }
        String what = String.format("the last of %d sweeps took %.1f ms, with an interval of %d ms", sweeps,
                now.lastSweepMillis(), interval);
        return new Result(now.lastSweepMillis() > interval ? Status.WARN : Status.OK, what);
    }
}
