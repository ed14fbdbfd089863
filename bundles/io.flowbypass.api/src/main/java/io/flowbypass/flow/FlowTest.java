// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Decides over one flow. Called once per flow and sweep on one thread: no I/O, no locks, no state kept
 * per flow, no allocation. A test that throws or returns null keeps the flow.
 */
@ConsumerType
@FunctionalInterface
public interface FlowTest {
    /**
     * Decides whether a flow stays bypassed.
     *
     * @param flow the flow; valid during this call only
     * @return {@link Decision#KEEP} or a decision to end it
     */
    Decision decide(FlowView flow);
}
