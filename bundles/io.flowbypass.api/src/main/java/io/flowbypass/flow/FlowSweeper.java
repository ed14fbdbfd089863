// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

import java.time.Duration;
import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/** Shows every bypassed flow of one table to a test and takes out those that the test ends. Thread-safe. */
@ProviderType
public interface FlowSweeper {
    /** Flows that this sweeper's table holds now. */
    int activeFlows();

    /** Flows that this sweeper's table can hold. */
    int capacity();

    /**
     * Sweeps once on the calling thread. Flows that were ended are counted and delivered to the listeners
     * later, by the table's own thread. A flow that received a packet since the test saw it stays.
     *
     * @param test decides over each flow; what it throws ends the sweep and reaches the caller
     * @param budget the longest time to spend, looked at every 256 flows; the next sweep goes on from there
     * @return what was done
     */
    SweepResult sweep(FlowTest test, Duration budget);

    /**
     * Says where two tests differ, and changes nothing.
     *
     * @param active the test in force
     * @param other the test to compare it with
     * @param limit the most differences to return, at least 1
     */
    List<Difference> compare(FlowTest active, FlowTest other, int limit);
}
