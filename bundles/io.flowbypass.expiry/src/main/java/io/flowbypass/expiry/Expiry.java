// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.expiry;

import io.flowbypass.flow.Difference;
import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/** Sweeps every flow table at an interval by the active policies. Thread-safe. */
@ProviderType
public interface Expiry {
    /** Names of the policies that the next sweep uses, in order. */
    List<String> activePolicies();

    /** Names of all installed policies, best ranking first. */
    List<String> availablePolicies();

    /** Names of policies that failed too often and are not asked until they are registered, reconfigured or selected again. */
    List<String> quarantinedPolicies();

    /** Sweeps made since this service started. */
    long sweeps();

    /** Duration of the last sweep of all tables in milliseconds. */
    double lastSweepMillis();

    /** Flows that the last sweep looked at. */
    int lastSweepScanned();

    /** Flows that the last sweep ended. */
    int lastSweepExpired();

    /** Flows that sweeps ended since this service started. */
    long expiredFlows();

    /** Milliseconds between the beginnings of two sweeps. */
    int sweepIntervalMillis();

    /**
     * Sets the sweep interval; kept in the configuration.
     *
     * @throws IllegalArgumentException when not in 10 to 3600000
     */
    void setSweepIntervalMillis(int millis);

    /**
     * Selects the active policies, in this order; kept in the configuration. An empty list means all installed ones by
     * service ranking.
     *
     * @throws IllegalArgumentException when a name is not installed or stands twice; the old list stays
     */
    void selectPolicies(List<String> names);

    /**
     * Says which flows another list of policies would end, or keep, unlike the active one. Changes nothing.
     *
     * @param names policies, in order
     * @param limit the most differences to return, 1 to 10000
     * @throws IllegalArgumentException when a name is not installed or stands twice, or the limit is out of range
     */
    List<Difference> compare(List<String> names, int limit);

    /** Sweeps once now and returns when it is done, at most 5 s later; the number of flows it ended. */
    int sweepNow();
}
