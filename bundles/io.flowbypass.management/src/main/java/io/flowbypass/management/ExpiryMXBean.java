// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management;

import static javax.management.MBeanOperationInfo.ACTION;
import static javax.management.MBeanOperationInfo.ACTION_INFO;
import static javax.management.MBeanOperationInfo.INFO;

/**
 * The expiry engine: {@code io.flowbypass:type=Expiry}. Registered while it runs.
 *
 * <p>Sends the notifications {@value #SWAPPED}, {@value #QUARANTINED} and {@value #PRESSURE}. Operations throw
 * {@link IllegalArgumentException} for names and numbers that are not allowed and {@link IllegalStateException} when
 * expiry cannot do it.
 */
@Description("Sweeps the flow table at an interval and ends flows by the active policies.")
public interface ExpiryMXBean {
    /** Type of the notification that the list of active policies changed. */
    String SWAPPED = "policy.swapped";
    /** Type of the notification that a policy is not asked any more because it failed too often. */
    String QUARANTINED = "policy.quarantined";
    /** Type of the notification that a table fills up or expiry is in trouble. */
    String PRESSURE = "table.pressure";

    /** Names of the policies that the next sweep uses, in order. */
    @Description("Names of the policies that the next sweep uses, in order, separated by commas: the first that does not"
            + " keep a flow ends it.")
    String getActivePolicies();

    /** Names of all installed policies. */
    @Description("Names of all installed policies, the highest service ranking first, separated by commas.")
    String getAvailablePolicies();

    /** Names of the policies in quarantine. */
    @Description("Names of policies that failed too often, separated by commas; they are not asked until they are installed,"
            + " reconfigured or selected again.")
    String getQuarantinedPolicies();

    /** Sweeps since expiry started. */
    @Description(value = "Sweeps begun since expiry started.", unit = "sweeps")
    long getSweeps();

    /** Duration of the last sweep. */
    @Description(value = "Duration of the last sweep of all tables.", unit = "milliseconds")
    double getLastSweepMillis();

    /** Flows that the last sweep looked at. */
    @Description(value = "Flows that the last sweep looked at.", unit = "flows")
    int getLastSweepScanned();

    /** Flows that the last sweep ended. */
    @Description(value = "Flows that the last sweep ended.", unit = "flows")
    int getLastSweepExpired();

    /** Flows ended since expiry started. */
    @Description(value = "Flows that sweeps ended since expiry started.", unit = "flows")
    long getExpiredFlows();

    /** Time between the beginnings of two sweeps. */
    @Description(value = "Time between the beginnings of two sweeps, 10 to 3600000; kept in the configuration.",
            unit = "milliseconds")
    int getSweepIntervalMillis();

    /** Sets the interval, 10 to 3600000 ms. */
    void setSweepIntervalMillis(int millis);

    /** Selects the active policies, and says which they are. */
    @Description("Selects the active policies, from the next sweep on, and says which they are; kept in the configuration.")
    @Impact(ACTION)
    String selectPolicies(@Name("names")
            @Description("Names of installed policies, in order, separated by commas; empty selects all by service ranking.")
            String names);

    /** Where another list of policies decides unlike the active one. */
    @Description("Shows the flows that another list of policies would end or keep unlike the active one; changes nothing.")
    @Impact(INFO)
    String[] compare(@Name("names") @Description("Names of installed policies, in order, separated by commas.") String names,
            @Name("limit") @Description(value = "The most flows to show, 1 to 10000; 0 for 100.", unit = "flows") int limit);

    /** Sweeps once and returns how many flows that ended. */
    @Description("Sweeps once now and returns how many flows that ended.")
    @Impact(ACTION_INFO)
    int sweepNow();
}
