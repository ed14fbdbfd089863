// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp;

import io.flowbypass.maps.BpfMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The loaded XDP program and its pinned maps. The service is there as long as both are. Thread-safe.
 *
 * <p>Attachments are configurations of the factory PID {@value #INTERFACE_PID}, one each: to attach, create one with
 * {@code interface} and {@code mode}; to detach, delete it. Where XDP is off an interface in another way, it is attached
 * again, and each {@link XdpListener} hears of it.
 */
@ProviderType
public interface DataPlane {
    /** Factory PID of an attachment. */
    String INTERFACE_PID = "io.flowbypass.xdp.interface";

    /** The highest threshold of packets: half of what the kernel's counter of 24 bits holds. */
    long MAX_CUTOFF_PACKETS = 1L << 23;

    /** The highest threshold of bytes, 512 GiB: half of what the kernel's counter of 40 bits holds. */
    long MAX_CUTOFF_BYTES = 1L << 39;

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

    /** The map {@code reserve}: free slots lent to XDP for automatic cut-off. Owned by the data plane; do not close it. */
    BpfMap reserve();

    /** The map {@code never}: the never-cut list in force, and the next one. Owned by the data plane; do not close it. */
    BpfMap never();

    /** The map {@code events}: which slots XDP took for automatic cut-off. Owned by the data plane; do not close it. */
    BpfMap events();

    /** The tables of other tools that XDP uses; their maps belong to the data plane, which closes those that it replaces. */
    List<ClassicTable> classicTables();

    /**
     * Looks at the pins of these tables: puts back those that were removed, and lets XDP use another map that a tool has put in
     * the place of one.
     *
     * @return the tables that XDP uses from then on
     */
    List<ClassicTable> lookAtClassicTables();

    /** A table that was moved aside and not drained yet; empty once it is removed. */
    Optional<OldTable> oldTable();

    /** Whether the VLAN ids of packets are part of their flows' keys. */
    boolean tracksVlans();

    /**
     * Looks at the interfaces of the redirect targets again: one that went away and came back is a target again. The table's
     * owner calls this every second.
     */
    void lookAtRedirectPorts();

    /** Whether a redirect target of that number is configured and its interface is there. */
    boolean hasRedirectPort(int number);

    /**
     * Puts a never-cut list into force for automatic cut-off; what it names is in {@link #never()} already.
     *
     * @param first its first entry
     * @param count its entries
     */
    void setNeverCut(int first, int count);

    /**
     * Lets XDP cut flows off by itself, where that is switched on, or keeps it from it. At first it is kept from it: whoever
     * owns the table allows it once it has lent slots.
     */
    void allowCutoff(boolean allowed);

    /** Whether automatic cut-off is switched on. */
    boolean cutoffEnabled();

    /**
     * Switches automatic cut-off on or off. In force at once, until the next restart or a change of this very value in the
     * configuration.
     */
    void setCutoffEnabled(boolean enabled);

    /** The packets of both directions after which XDP cuts a flow off; 0 when it does not ask. */
    long cutoffPackets();

    /**
     * Sets this threshold. In force at once, until the next restart or a change of this very value in the configuration.
     *
     * @throws IllegalArgumentException when not in 0 to {@value #MAX_CUTOFF_PACKETS}
     */
    void setCutoffPackets(long packets);

    /** The bytes of both directions after which XDP cuts a flow off; 0 when it does not ask. */
    long cutoffBytes();

    /**
     * Sets this threshold. In force at once, until the next restart or a change of this very value in the configuration.
     *
     * @throws IllegalArgumentException when not in 0 to {@value #MAX_CUTOFF_BYTES}
     */
    void setCutoffBytes(long bytes);

    /** What became of attempts to cut flows off automatically, since the table was made. One system call each. */
    Map<CutoffOutcome, Long> cutoffs();

    /** Renews the lease: a sign of life that the table's owner gives every second. No system call. */
    void heartbeat();

    /** Milliseconds since the last heartbeat; at least 0. */
    long leaseAgeMillis();

    /** Seconds without a heartbeat after which XDP cuts nothing more. */
    int leaseSeconds();

    /**
     * Sets the lease. In force at once, until the next restart or a change of this very value in the configuration.
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
