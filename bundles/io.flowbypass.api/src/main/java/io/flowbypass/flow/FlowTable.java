// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The flows that XDP cuts. Both directions of a flow are one flow: every method takes a key in either direction.
 *
 * <p>Thread-safe. {@link #bypass}, {@link #find} and {@link #list} make no system call, but that a bypass with a
 * redirect looks its port up. Every method throws {@link IllegalStateException} once the service is gone.
 */
@ProviderType
public interface FlowTable {
    /**
     * Bypasses a flow: from now on XDP cuts its packets in both directions, on every attached interface.
     *
     * @return true when the flow was added, false when it was bypassed already (nothing is changed then)
     * @throws TableFullException when there is no room
     * @throws IllegalStateException when it is not known what is never cut, because never.cut or this machine's addresses
     *     cannot be read
     * @throws NeverCutException when the never-cut list or an address of this machine forbids to cut the flow
     * @throws IllegalArgumentException when it cannot be cut as it is asked for: a protocol without ports that is not asked
     *     for as a host pair; a redirect port that is not there; VLAN ids that are not tracked
     */
    boolean bypass(BypassRequest request);

    /**
     * Takes a flow out by hand. XDP passes its packets as soon as this returns.
     *
     * @return completes with the flow's record once its counts are final (some 10 ms later); with an empty Optional at
     *     once when the flow is not bypassed. A few threads complete all releases: what depends on it should not wait
     *     there
     */
    CompletableFuture<Optional<FlowRecord>> release(FlowKey key);

    /**
     * Takes a flow out by hand, and waits for its record.
     *
     * @return empty when the flow is not bypassed
     * @throws IllegalStateException when the flow is released and its record is not complete after 10 s, or the release fails
     */
    default Optional<FlowRecord> releaseAndWait(FlowKey key) {
        try {
            return release(key).get(10, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new IllegalStateException(key + " could not be released: " + e.getCause().getMessage(), e);
        } catch (TimeoutException e) {
            throw new IllegalStateException(key + " is released, but its record is not complete after 10 s; it reaches the"
                    + " listeners later", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for the record of " + key, e);
        }
    }

    /**
     * Whether the never-cut list, or an address of this machine, forbids to cut a flow. The protocol 0 stands for all between
     * two addresses, of which the list must name nothing. Everything is never cut while it is not known what is.
     */
    boolean isNeverCut(FlowKey key);

    /** The flow as it is now, or empty when it is not bypassed. */
    Optional<FlowState> find(FlowKey key);

    /**
     * A page of the bypassed flows, in no particular but a stable order.
     *
     * @param offset how many flows to skip, at least 0
     * @param limit the most flows to return, 1 to 10000
     */
    List<FlowState> list(int offset, int limit);

    /** Takes all flows out; returns how many. Their records reach the listeners. */
    int flush();

    /** Flows that are bypassed now and were asked for by that kind of tool. No look at the table. */
    int activeFlows(Origin origin);

    /** The table in numbers. One system call and a scan of the table (10 ms per million flows). */
    TableStatistics statistics();
}
