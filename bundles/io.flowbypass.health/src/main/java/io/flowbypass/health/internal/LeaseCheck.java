// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.health.internal;

import io.flowbypass.xdp.DataPlane;
import org.apache.felix.hc.api.HealthCheck;
import org.apache.felix.hc.api.Result;
import org.apache.felix.hc.api.Result.Status;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** Whether XDP cuts: the lease is fresh, and nobody paused it. Thread-safe. */
@Component(property = {HealthCheck.NAME + "=Flowbypass: lease fresh", HealthCheck.TAGS + "=flowbypass",
        HealthCheck.MBEAN_NAME + "=flowbypass.lease"})
public final class LeaseCheck implements HealthCheck {
    private static final long MILLIS = 1000;

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    volatile DataPlane dataPlane;

    @Override
    public Result execute() {
        return Look.at(dataPlane, LeaseCheck::judge);
    }

    private static Result judge(DataPlane now) {
        long age = now.leaseAgeMillis();
        long lease = now.leaseSeconds() * MILLIS;
        String what = "the last sign of life of the flow table is " + age + " ms old, the lease is " + lease + " ms";
        if (age >= lease) {
            return new Result(Status.CRITICAL, what + ": XDP cuts nothing until the flow table runs again");
        }
        if (now.paused()) {
            return new Result(Status.WARN, "the data plane is paused: XDP cuts nothing until it is resumed");
        }
        return new Result(age >= lease / 2 ? Status.WARN : Status.OK, what);
    }
}
