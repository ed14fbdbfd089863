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

/** Whether the flow table has room. Thread-safe. */
@Component(property = {HealthCheck.NAME + "=Flowbypass: table below its mark", HealthCheck.TAGS + "=flowbypass",
        HealthCheck.MBEAN_NAME + "=flowbypass.table"})
public final class TableCheck implements HealthCheck {
    /** From here on somebody should look why flows stay: what else fills the table may be a burst away. */
    private static final int MARK_PERCENT = 80;

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    volatile FlowTable table;

    @Override
    public Result execute() {
        return Look.at(table, TableCheck::judge);
    }

    private static Result judge(TableStatistics numbers) {
        long used = (long) numbers.activeFlows() + numbers.closingFlows();
        String what = used + " of " + numbers.capacity() + " slots are taken, " + numbers.closingFlows()
                + " of them by flows whose record is not taken yet";
        if (used >= numbers.capacity()) {
            return new Result(Status.CRITICAL, what + ": bypasses are refused; lower a timeout or raise the capacity");
        }
        return used * 100 >= (long) numbers.capacity() * MARK_PERCENT
                ? new Result(Status.WARN, what + ", more than " + MARK_PERCENT + " %: lower a timeout or raise the capacity")
                : new Result(Status.OK, what);
    }
}
