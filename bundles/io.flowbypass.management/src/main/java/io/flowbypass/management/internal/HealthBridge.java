// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import java.util.HashMap;
import java.util.Map;
import org.apache.felix.hc.api.HealthCheck;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;

/** Gives every health check of ours an MBean. Thread-safe. */
@Component(immediate = true, service = {})
public final class HealthBridge {
    private static final String OURS = "flowbypass.";

    private final Map<HealthCheck, HealthMBean> mbeans = new HashMap<>();

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC,
            target = "(" + HealthCheck.TAGS + "=flowbypass)")
    synchronized void addCheck(HealthCheck check, Map<String, Object> properties) {
        if (properties.get(HealthCheck.MBEAN_NAME) instanceof String name && name.startsWith(OURS)) {
            HealthMBean mbean = new HealthMBean(name.substring(OURS.length()), check);
            mbean.register();
            mbeans.put(check, mbean);
        }
    }

    synchronized void removeCheck(HealthCheck check) {
        HealthMBean mbean = mbeans.remove(check);
        if (mbean != null) {
            mbean.unregister();
        }
    }

    @Deactivate
    synchronized void stop() {
        mbeans.values().forEach(HealthMBean::unregister);
        mbeans.clear();
    }
}
