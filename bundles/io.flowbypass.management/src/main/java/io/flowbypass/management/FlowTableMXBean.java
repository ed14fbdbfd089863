// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management;

import static javax.management.MBeanOperationInfo.ACTION;
import static javax.management.MBeanOperationInfo.INFO;

/**
 * The flow table: {@code io.flowbypass:type=FlowTable}. Registered while the table runs.
 *
 * <p>All attributes of one moment come from one look at the table, at most 500 ms old. Operations throw
 * {@link IllegalArgumentException} for what is not a flow and {@link IllegalStateException} when the table refuses. Sends
 * the notification {@value #STUCK}.
 */
@Description("The flows that XDP cuts, and what was cut.")
public interface FlowTableMXBean {
    /** Type of the notification that a durable listener takes no records, so that the table fills up. */
    String STUCK = "listener.stuck";

    /** Flows that are bypassed now. */
    @Description(value = "Flows that are bypassed now.", unit = "flows")
    int getActiveFlows();

    /** Flows that the table can hold. */
    @Description(value = "Flows that the table can hold.", unit = "flows")
    int getCapacity();

    /** How full the table is, 0 to 100. */
    @Description(value = "How full the table is, closing flows included; at 100 new bypasses are refused.",
            unit = "percent")
    double getOccupancy();

    /** Flows bypassed since the table started. */
    @Description(value = "Flows bypassed since the table's service started.", unit = "flows")
    long getFlowsAdded();

    /** Flows ended since the table started. */
    @Description(value = "Flows that ended, and whose counts are final, since the table's service started.",
            unit = "flows")
    long getFlowsEnded();

    /** Bypasses refused since the table started. */
    @Description(value = "Bypasses refused because the table was full, since the table's service started.",
            unit = "flows")
    long getRefusedBypasses();

    /** Records lost since the table started. */
    @Description(value = "Records that a listener lost because it was slower than the table, since the table's service"
            + " started.", unit = "records")
    long getUndeliveredRecords();

    /** Packets cut since the table was made. */
    @Description(value = "Packets cut since the table was made; survives restarts.", unit = "packets")
    long getBypassedPackets();

    /** Bytes cut since the table was made. */
    @Description(value = "Bytes cut since the table was made, Ethernet headers included; survives restarts.",
            unit = "bytes")
    long getBypassedBytes();

    /** Packets cut per second. */
    @Description(value = "Packets cut per second, over the last one to five seconds.", unit = "packets per second")
    long getBypassedPacketsPerSecond();

    /** Bits cut per second. */
    @Description(value = "Bits cut per second, over the last one to five seconds.", unit = "bits per second")
    long getBypassedBitsPerSecond();

    /** Packets that are counted on one side only. */
    @Description(value = "Packets that XDP counted as cut and no flow holds, or the reverse; 0 when all is well.",
            unit = "packets")
    long getUnaccountedPackets();

    /** Bypasses a flow; says whether it was added. */
    @Description("Bypasses a flow: XDP cuts its packets in both directions from now on. Says whether it was bypassed"
            + " already.")
    @Impact(ACTION)
    String bypass(@Name("protocol") @Description("A protocol's name, such as TCP, or its IANA number.") String protocol,
            @Name("source") @Description("IPv4 or IPv6 address of one side.") String source,
            @Name("sourcePort") @Description("Port of that side, 0 to 65535.") int sourcePort,
            @Name("destination") @Description("Address of the other side, of the same family.") String destination,
            @Name("destinationPort") @Description("Port of the other side, 0 to 65535.") int destinationPort);

    /** Bypasses a flow that is given as one text. */
    @Description("Bypasses a flow, given as one text. Says whether it was bypassed already.")
    @Impact(ACTION)
    String bypass(@Name("flow") @Description("A flow as list shows it, such as TCP 192.0.2.1:40000 > 198.51.100.7:443.")
            String flow);

    /** Takes a flow out; waits at most 10 s for its record and returns it as text. */
    @Description("Takes a flow out of the bypass, given in either direction, and returns its record once the counts are"
            + " final.")
    @Impact(ACTION)
    String release(@Name("protocol") @Description("A protocol's name, such as TCP, or its IANA number.") String protocol,
            @Name("source") @Description("IPv4 or IPv6 address of one side.") String source,
            @Name("sourcePort") @Description("Port of that side, 0 to 65535.") int sourcePort,
            @Name("destination") @Description("Address of the other side, of the same family.") String destination,
            @Name("destinationPort") @Description("Port of the other side, 0 to 65535.") int destinationPort);

    /** Takes a flow out that is given as one text; as release. */
    @Description("Takes a flow out of the bypass, given as one text, in either direction, and returns its record once the"
            + " counts are final.")
    @Impact(ACTION)
    String release(@Name("flow") @Description("A flow as list shows it, such as TCP 192.0.2.1:40000 > 198.51.100.7:443.")
            String flow);

    /** The flow as it is now, as text. */
    @Description("Shows a bypassed flow, given in either direction, with its counts so far.")
    @Impact(INFO)
    String find(@Name("protocol") @Description("A protocol's name, such as TCP, or its IANA number.") String protocol,
            @Name("source") @Description("IPv4 or IPv6 address of one side.") String source,
            @Name("sourcePort") @Description("Port of that side, 0 to 65535.") int sourcePort,
            @Name("destination") @Description("Address of the other side, of the same family.") String destination,
            @Name("destinationPort") @Description("Port of the other side, 0 to 65535.") int destinationPort);

    /** The flow as it is now, given as one text; as find. */
    @Description("Shows a bypassed flow, given as one text, in either direction, with its counts so far.")
    @Impact(INFO)
    String find(@Name("flow") @Description("A flow as list shows it, such as TCP 192.0.2.1:40000 > 198.51.100.7:443.")
            String flow);

    /** Bypasses a flow in another way; says whether it was added. */
    @Description("Bypasses a flow with options, and says whether it was bypassed already.")
    @Impact(ACTION)
    String bypassWith(@Name("protocol") @Description("A protocol's name, such as TCP, or its IANA number.") String protocol,
            @Name("source") @Description("IPv4 or IPv6 address of one side.") String source,
            @Name("sourcePort") @Description("Port of that side, 0 to 65535; 0 for a protocol without ports.") int sourcePort,
            @Name("destination") @Description("Address of the other side, of the same family.") String destination,
            @Name("destinationPort") @Description("Port of the other side, 0 to 65535.") int destinationPort,
            @Name("options") @Description("Words separated by blanks: drop, count (pass after all) or redirect=NUMBER of a port"
                    + " in redirect.ports; hostPair for a protocol without ports; passControl=true or false (FIN and RST go"
                    + " to the monitor); vlan=OUTER or vlan=OUTER,INNER.") String options);

    /** Takes a flow out that has VLAN ids; as release. */
    @Description("Takes a flow out of the bypass where VLANs are tracked, and returns its record once the counts are final.")
    @Impact(ACTION)
    String releaseWith(@Name("protocol") @Description("A protocol's name, such as TCP, or its IANA number.") String protocol,
            @Name("source") @Description("IPv4 or IPv6 address of one side.") String source,
            @Name("sourcePort") @Description("Port of that side, 0 to 65535; 0 for a protocol without ports.") int sourcePort,
            @Name("destination") @Description("Address of the other side, of the same family.") String destination,
            @Name("destinationPort") @Description("Port of the other side, 0 to 65535.") int destinationPort,
            @Name("options") @Description("vlan=OUTER or vlan=OUTER,INNER.") String options);

    /** The flow as it is now, as text; as find. */
    @Description("Shows a bypassed flow where VLANs are tracked, with its counts so far.")
    @Impact(INFO)
    String findWith(@Name("protocol") @Description("A protocol's name, such as TCP, or its IANA number.") String protocol,
            @Name("source") @Description("IPv4 or IPv6 address of one side.") String source,
            @Name("sourcePort") @Description("Port of that side, 0 to 65535; 0 for a protocol without ports.") int sourcePort,
            @Name("destination") @Description("Address of the other side, of the same family.") String destination,
            @Name("destinationPort") @Description("Port of the other side, 0 to 65535.") int destinationPort,
            @Name("options") @Description("vlan=OUTER or vlan=OUTER,INNER.") String options);

    /** A page of the bypassed flows, one text each. */
    @Description("Shows a page of the bypassed flows, in no particular but a stable order.")
    @Impact(INFO)
    String[] list(@Name("offset") @Description(value = "How many flows to skip, at least 0.", unit = "flows") int offset,
            @Name("limit") @Description(value = "The most flows to show, 1 to 10000; 0 for 100.", unit = "flows") int limit);

    /** Takes all flows out; says how many. */
    @Description("Takes all flows out of the bypass and says how many.")
    @Impact(ACTION)
    String flush();
}
