// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.health.internal;

import io.flowbypass.xdp.Attachment;
import io.flowbypass.xdp.DataPlane;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.felix.hc.api.HealthCheck;
import org.apache.felix.hc.api.Result;
import org.apache.felix.hc.api.Result.Status;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** Whether XDP runs on every interface that is configured, and on one at least. Thread-safe. */
@Component(property = {HealthCheck.NAME + "=Flowbypass: attached", HealthCheck.TAGS + "=flowbypass",
        HealthCheck.MBEAN_NAME + "=flowbypass.attached"})
public final class AttachedCheck implements HealthCheck {
    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    volatile DataPlane dataPlane;

    @Override
    public Result execute() {
        return Look.at(dataPlane, AttachedCheck::judge);
    }

    private static Result judge(DataPlane now) {
        List<Attachment> attachments = now.attachments();
        if (attachments.isEmpty()) {
            return new Result(Status.WARN, "no interface is configured, so nothing is cut: attach one");
        }
        String problems = attachments.stream().filter(each -> !each.attached() || !each.problem().isEmpty())
                .map(each -> each.interfaceName() + ": " + each.problem()).collect(Collectors.joining("; "));
        if (attachments.stream().anyMatch(each -> !each.attached())) {
            return new Result(Status.CRITICAL, problems);
        }
        return problems.isEmpty()
                ? new Result(Status.OK, attachments.stream().map(each -> each.interfaceName() + " (" + each.mode() + ")")
                        .collect(Collectors.joining(", ", "attached to ", "")))
                : new Result(Status.WARN, problems);
    }
}
