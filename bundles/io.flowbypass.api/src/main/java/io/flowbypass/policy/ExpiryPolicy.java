// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.policy;

import io.flowbypass.flow.FlowTest;
import java.util.Map;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Decides which bypassed flows end. A service, named by {@link PolicyName}.
 *
 * <p>The active policies are asked in order; the first that does not keep a flow ends it.
 */
@ConsumerType
public interface ExpiryPolicy {
    /**
     * Begins a sweep: reads the configuration once, so that one sweep sees one configuration.
     *
     * @param sweep what is known of the sweep
     * @return the test for every flow of this sweep; never null
     */
    FlowTest begin(Sweep sweep);

    /**
     * What an operator may want to see of it at this moment, beside its configuration; each becomes an attribute of its
     * MBean. Always with the same keys, named as those of a configuration are: the last part is the unit, as in
     * {@code now.tcp.seconds}. Called on any thread.
     */
    default Map<String, Double> readings() {
        return Map.of();
    }
}
