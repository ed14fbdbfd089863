// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.health.internal;

import io.flowbypass.flow.FlowTable;
import io.flowbypass.flow.TableStatistics;
import org.apache.felix.hc.api.HealthCheck;
import org.apache.felix.hc.api.Result;
import org.apache.felix.hc.api.Result.Status;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** Whether every packet that was cut is accounted for. Thread-safe. */
@Component(property = {HealthCheck.NAME + "=Flowbypass: ledger closed", HealthCheck.TAGS + "=flowbypass",
        HealthCheck.MBEAN_NAME + "=flowbypass.ledger"})
public final class LedgerCheck implements HealthCheck {
    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    volatile FlowTable table;

    @Override
    public Result execute() {
        return Look.at(table, LedgerCheck::judge);
    }

    private static Result judge(TableStatistics numbers) {
        long packets = numbers.unaccountedPackets();
        return packets == 0 ? new Result(Status.OK, "every packet that was cut is accounted for")
                : new Result(Status.CRITICAL, packets + " packets that were cut are in no flow's count, or the reverse:"
                        + " other hands wrote into the maps, or this is a bug; report it");
    }
}
