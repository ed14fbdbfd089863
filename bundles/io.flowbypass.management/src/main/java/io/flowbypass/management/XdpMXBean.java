// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management;

import static javax.management.MBeanOperationInfo.ACTION;

import java.util.List;

/**
 * The XDP program and its interfaces: {@code io.flowbypass:type=Xdp}. Registered while the program is loaded.
 *
 * <p>There is one attribute for each {@link io.flowbypass.xdp.Verdict}. Sends the notifications {@value #DETACHED} and
 * {@value #ATTACHED}, whose message begins with the name of the interface, and {@value #REPINNED}. Operations throw
 * {@link IllegalArgumentException} for what is not allowed and {@link IllegalStateException} when it cannot be done.
 */
@Description("The XDP program, the interfaces that it runs on, and what it did with packets.")
public interface XdpMXBean {
    /** Type of the notification that XDP was found off an interface on which it ran. */
    String DETACHED = "xdp.detached";
    /** Type of the notification that XDP was attached to an interface that it was off, or could not be attached to before. */
    String ATTACHED = "xdp.attached";
    /** Type of the notification that maps of the table were unpinned by other hands, and pinned again. */
    String REPINNED = "xdp.repinned";

    /** The configured interfaces. */
    @Description("The configured interfaces, with what became of each.")
    List<XdpInterface> getInterfaces();

    /** Time since the last heartbeat. */
    @Description(value = "Time since the last sign of life that the flow table gave the kernel.", unit = "milliseconds")
    long getLeaseAgeMillis();

    /** The lease. */
    @Description(value = "After this time without a sign of life XDP cuts nothing more; 1 to 86400, until the next restart"
            + " or a change in the configuration.", unit = "seconds")
    int getLeaseSeconds();

    /** Sets the lease, 1 to 86400 s. */
    void setLeaseSeconds(int seconds);

    /** Whether XDP passes everything. */
    @Description("Whether XDP passes everything, by hand.")
    boolean isPaused();

    /** Lets XDP pass everything, or cut again. */
    void setPaused(boolean paused);

    /** Packets cut, for whichever reason. */
    @Description(value = "Packets cut since the table was made.", unit = "packets")
    long getCutPackets();

    /** Packets passed, for whichever reason. */
    @Description(value = "Packets passed since the table was made, for whichever reason.", unit = "packets")
    long getPassedPackets();

    /** Bytes cut, for whichever reason. */
    @Description(value = "Bytes cut since the table was made.", unit = "bytes")
    long getCutBytes();

    /** Bytes passed, for whichever reason. */
    @Description(value = "Bytes passed since the table was made, for whichever reason.", unit = "bytes")
    long getPassedBytes();

    /** The share of bytes that could not be read as a flow's. */
    @Description(value = "The share of all bytes whose packets could not be read as those of a flow: fragments, malformed"
            + " packets, neither IPv4 nor IPv6.", unit = "percent")
    double getUnparsedBytesPercent();

    /** Packets and bytes of each verdict. */
    @Description("Packets and bytes of each verdict since the table was made.")
    List<XdpVerdict> getVerdicts();

    /** Whether VLAN ids are part of keys. */
    @Description("Whether the first two VLAN ids of a packet are part of its flow's key.")
    boolean isVlanTracking();

    /** Whether XDP cuts flows off by itself. */
    @Description("Whether XDP bypasses flows by itself once they pass a threshold; until the next restart or a change in the"
            + " configuration.")
    boolean isCutoffEnabled();

    /** Switches automatic cut-off on or off. */
    void setCutoffEnabled(boolean enabled);

    /** A threshold. */
    @Description(value = "The packets of a flow, of both directions, after which it is cut off automatically; 1 to 8388608,"
            + " or 0 for no such threshold; until the next restart or a change in the configuration.", unit = "packets")
    long getCutoffPackets();

    /** Sets it, 0 to 8388608. */
    void setCutoffPackets(long packets);

    /** A threshold. */
    @Description(value = "The bytes of a flow, of both directions, after which it is cut off automatically; 1 to"
            + " 549755813888, or 0 for no such threshold; until the next restart or a change in the configuration.",
            unit = "bytes")
    long getCutoffBytes();

    /** Sets it, 0 to 549755813888. */
    void setCutoffBytes(long bytes);

    /** Flows cut off automatically. */
    @Description(value = "Flows that were cut off automatically since the table was made.", unit = "flows")
    long getCutoffDone();

    /** Attempts that must not succeed. */
    @Description(value = "Attempts to cut a flow off automatically that the never-cut list or a tunnel's port forbade.",
            unit = "attempts")
    long getCutoffNeverCut();

    /** Attempts that found no room. */
    @Description(value = "Attempts to cut a flow off automatically for which the table had no room.", unit = "attempts")
    long getCutoffTableFull();

    /** Flows forgotten. */
    @Description(value = "Flows still running that automatic cut-off forgot for another one and counts anew.",
            unit = "flows")
    long getCutoffTrackerFull();

    /** Attempts without a slot. */
    @Description(value = "Attempts to cut a flow off automatically for which no free slot was lent yet.",
            unit = "attempts")
    long getCutoffReserveDry();

    /** Attempts that met another one. */
    @Description(value = "Attempts to count a flow or to cut it off automatically that met another one at the same flow.",
            unit = "attempts")
    long getCutoffContended();

    /** Packets of no bypassed flow. */
    @Description(value = "Passed: packets that belong to no bypassed flow.", unit = "packets")
    long getPassedNoFlow();

    /** Packets of other protocols. */
    @Description(value = "Passed: packets of neither IPv4 nor IPv6, or with more VLAN tags or extension headers than are"
            + " followed.", unit = "packets")
    long getPassedOther();

    /** Fragments. */
    @Description(value = "Passed: fragments, the first one included.", unit = "packets")
    long getPassedFragment();

    /** Malformed packets. */
    @Description(value = "Passed: packets with truncated or inconsistent headers.", unit = "packets")
    long getPassedMalformed();

    /** Packets of bypassed flows while the lease was over. */
    @Description(value = "Passed: packets of bypassed flows while the lease was over.", unit = "packets")
    long getPassedLease();

    /** Packets of bypassed flows while paused. */
    @Description(value = "Passed: packets of bypassed flows while XDP was paused.", unit = "packets")
    long getPassedPaused();

    /** Packets of flows that were being taken out. */
    @Description(value = "Passed: packets of flows that were being taken out.", unit = "packets")
    long getPassedClosing();

    /** Packets of flows that began anew. */
    @Description(value = "Passed: packets of bypassed flows that began anew with a SYN.", unit = "packets")
    long getPassedReopened();

    /** FIN and RST for the monitor. */
    @Description(value = "Passed: FIN and RST of bypassed flows, for the monitor.", unit = "packets")
    long getPassedTcpControl();

    /** ICMP errors. */
    @Description(value = "Passed: ICMP errors and neighbour discovery, whatever is bypassed.", unit = "packets")
    long getPassedIcmpError();

    /** Packets dropped. */
    @Description(value = "Cut: packets that were dropped.", unit = "packets")
    long getCutDropped();

    /** Packets redirected. */
    @Description(value = "Cut: packets that were redirected to another interface.", unit = "packets")
    long getCutRedirected();

    /** Packets counted. */
    @Description(value = "Cut: packets that were counted and passed after all, as their flows' bypass asks for.",
            unit = "packets")
    long getCutCounted();

    /** Packets dropped for another tool's table. */
    @Description(value = "Cut: packets that were dropped and counted in the table of another tool.", unit = "packets")
    long getCutClassic();

    /** Packets passed because a port is not there. */
    @Description(value = "Passed because the port that a flow is redirected to is not there; 0 when all is well.",
            unit = "packets")
    long getErrorRedirect();

    /** Packets passed because of an error. */
    @Description(value = "Passed because of an inconsistency in the table; 0 when all is well.", unit = "packets")
    long getError();

    /** Attaches XDP to an interface; says how. */
    @Description("Attaches XDP to a network interface until it is detached; Karaf attaches it again at each start,"
            + " ./flowbypass run only what its -i names. Waits up to 5 s.")
    @Impact(ACTION)
    String attach(@Name("interface") @Description("Name of the network interface, such as eth1.") String interfaceName,
            @Name("mode") @Description("native, generic or auto; empty for auto, which is native where the driver can.")
            String mode);

    /** Detaches XDP from an interface; says what was done. */
    @Description("Detaches XDP from a network interface and removes it from the configuration.")
    @Impact(ACTION)
    String detach(@Name("interface") @Description("Name of the network interface, such as eth1.") String interfaceName);
}
