// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.health.internal;

import io.flowbypass.xdp.DataPlane;
import io.flowbypass.xdp.Verdict;
import io.flowbypass.xdp.VerdictCounts;
import java.util.Map;
import org.apache.felix.hc.api.HealthCheck;
import org.apache.felix.hc.api.Result;
import org.apache.felix.hc.api.Result.Status;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** Whether XDP can read the traffic: the share of bytes since the last look that it cannot. Thread-safe. */
@Component(property = {HealthCheck.NAME + "=Flowbypass: traffic understood", HealthCheck.TAGS + "=flowbypass",
        HealthCheck.MBEAN_NAME + "=flowbypass.parsed"})
public final class ParsedCheck implements HealthCheck {
    private static final int LIMIT_PERCENT = 5;

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    volatile DataPlane dataPlane;
    private long lastAll;
    private long lastUnparsed;

    @Override
    public synchronized Result execute() {
        return Look.at(dataPlane, this::judge);
    }

    private Result judge(DataPlane now) {
        long all = 0;
        long unparsed = 0;
        for (Map.Entry<Verdict, VerdictCounts> each : now.verdicts().entrySet()) {
            all += each.getValue().bytes();
            unparsed += each.getKey().isUnparsed() ? each.getValue().bytes() : 0;
        }
        if (all < lastAll) { // another table
            lastAll = 0;
            lastUnparsed = 0;
        }
        long fresh = all - lastAll;
        double percent = fresh == 0 ? 0 : 100.0 * (unparsed - lastUnparsed) / fresh;
        lastAll = all;
        lastUnparsed = unparsed;
        String what = String.format("%.1f %% of %d bytes since the last look could not be read as flows", percent, fresh);
        return percent < LIMIT_PERCENT ? new Result(Status.OK, what)
                : new Result(Status.WARN, what + ": fragments, tunnels and what is neither IPv4 nor IPv6 is never cut;"
                        + " the verdicts in the MBean type=Xdp say which");
    }
}
