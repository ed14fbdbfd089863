// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.policy;

import io.flowbypass.flow.FlowTest;
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
}
