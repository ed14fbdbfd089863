// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import io.flowbypass.management.HealthMXBean;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.apache.felix.hc.api.HealthCheck;
import org.apache.felix.hc.api.Result;
import org.apache.felix.hc.api.ResultLog;

/** The MBean of one health check. Thread-safe. */
final class HealthMBean extends DescribedMBean implements HealthMXBean {
    private final Recent<Result> result;

    HealthMBean(String name, HealthCheck check) {
        super("Health,name=" + name, HealthMXBean.class);
        result = new Recent<>(check::execute, System::nanoTime);
    }

    @Override
    public boolean isOk() {
        return result.get().isOk();
    }

    @Override
    public String getStatus() {
        return result.get().getStatus().name();
    }

    @Override
    public String getMessage() {
        return StreamSupport.stream(result.get().spliterator(), false).map(ResultLog.Entry::getMessage)
                .collect(Collectors.joining("; "));
    }
}
