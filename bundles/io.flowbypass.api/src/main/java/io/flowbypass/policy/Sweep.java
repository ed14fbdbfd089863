// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.policy;

import org.osgi.annotation.versioning.ProviderType;

/** What a policy may know as a sweep begins. Immutable. */
@ProviderType
public interface Sweep {
    /** The time of the sweep on the monotonic clock ({@link System#nanoTime()}). */
    long nowNanos();

    /** Bypassed flows of all tables. */
    int activeFlows();

    /** Flows that all tables can hold. */
    int capacity();
}
