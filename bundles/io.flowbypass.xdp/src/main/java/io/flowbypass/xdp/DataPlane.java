// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp;

import io.flowbypass.maps.BpfMap;
import java.util.List;
import java.util.Map;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The loaded XDP program and its pinned maps. The service is there as long as both are. Thread-safe.
 *
 * <p>Attachments are configurations of the factory PID {@value #INTERFACE_PID}, one each: to attach, create one with
 * {@code interface} and {@code mode}; to detach, delete it.
 */
@ProviderType
public interface DataPlane {
    /** Factory PID of an attachment. */
    String INTERFACE_PID = "io.flowbypass.xdp.interface";

    /** Flows that the native table can hold. */
    int capacity();

    /** Random id of the native table, the same as long as its pins live. */
    long tableId();

    /** The two random seeds of the key hash. */
    long[] seeds();

    /** The map {@code index}: buckets of eight cells. Owned by the data plane; do not close it. */
    BpfMap index();

    /** The map {@code records}: two per slot. Owned by the data plane; do not close it. */
    BpfMap records();

    /** The map {@code info}: one per slot. Owned by the data plane; do not close it. */
    BpfMap info();

    /** Renews the lease: a sign of life that the table's owner gives every second. No system call. */
    void heartbeat();

    /** Milliseconds since the last heartbeat; at least 0. */
    long leaseAgeMillis();

    /** Seconds without a heartbeat after which XDP cuts nothing more. */
    int leaseSeconds();

    /**
     * Sets the lease. In force at once, and until the next restart.
     *
     * @throws IllegalArgumentException when not in 1 to 86400
     */
    void setLeaseSeconds(int seconds);

    /** Whether XDP passes everything, by hand. */
    boolean paused();

    /** Lets XDP pass everything, or cut again. */
    void setPaused(boolean paused);

    /** Packets and bytes per verdict, of all CPUs and interfaces, since the table was made. One system call each. */
    Map<Verdict, VerdictCounts> verdicts();

    /**
     * The configured attachments, with what became of each; and those that an earlier run left in this process's network
     * namespace and no configuration owns. They run the program and cut like the others.
     */
    List<Attachment> attachments();
}
