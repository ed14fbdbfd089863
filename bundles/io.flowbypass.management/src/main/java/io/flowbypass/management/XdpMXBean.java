// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management;

import static javax.management.MBeanOperationInfo.ACTION;

import java.util.List;

/**
 * The XDP program and its interfaces: {@code io.flowbypass:type=Xdp}. Registered while the program is loaded.
 *
 * <p>There is one attribute for each {@link io.flowbypass.xdp.Verdict}. Operations throw
 * {@link IllegalArgumentException} for what is not allowed and {@link IllegalStateException} when it cannot be done.
 */
@Description("The XDP program, the interfaces that it runs on, and what it did with packets.")
public interface XdpMXBean {
    /** The configured interfaces. */
    @Description("The configured interfaces, with what became of each.")
    List<XdpInterface> getInterfaces();

    /** Time since the last heartbeat. */
    @Description(value = "Time since the last sign of life that the flow table gave the kernel.", unit = "milliseconds")
    long getLeaseAgeMillis();

    /** The lease. */
    @Description(value = "After this time without a sign of life XDP cuts nothing more; 1 to 86400, until the next restart.",
            unit = "seconds")
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

    /** Packets of no bypassed flow. */
    @Description(value = "Passed: packets that belong to no bypassed flow.", unit = "packets")
    long getPassedNoFlow();

    /** Packets of other protocols. */
    @Description(value = "Passed: packets of neither IPv4 nor IPv6, or of a protocol without ports.",
            unit = "packets")
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

    /** Packets dropped. */
    @Description(value = "Cut: packets that were dropped.", unit = "packets")
    long getCutDropped();

    /** Packets passed because of an error. */
    @Description(value = "Passed because of an inconsistency in the table; 0 when all is well.", unit = "packets")
    long getError();

    /** Attaches XDP to an interface; says how. */
    @Description("Attaches XDP to a network interface, until it is detached or this framework's storage is removed; waits up to 5 s.")
    @Impact(ACTION)
    String attach(@Name("interface") @Description("Name of the network interface, such as eth1.") String interfaceName,
            @Name("mode") @Description("native or generic; empty for the default.") String mode);

    /** Detaches XDP from an interface; says what was done. */
    @Description("Detaches XDP from a network interface and removes it from the configuration.")
    @Impact(ACTION)
    String detach(@Name("interface") @Description("Name of the network interface, such as eth1.") String interfaceName);
}
