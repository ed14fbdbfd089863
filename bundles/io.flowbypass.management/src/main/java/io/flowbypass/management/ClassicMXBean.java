// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management;

import static javax.management.MBeanOperationInfo.INFO;

import java.util.List;

/** The tables of other tools: {@code io.flowbypass:type=Classic}. Registered while they are swept. */
@Description("The tables of libflowbypass, Suricata and Zeek that XDP uses: their tools put flows in, here one can look.")
public interface ClassicMXBean {
    /** The tables. */
    @Description("The tables in use, as the last sweep found them.")
    List<ClassicTableInfo> getTables();

    /** Entries of all tables. */
    @Description(value = "Entries of all tables that the last sweep found; in those of libflowbypass and Suricata each direction"
            + " of a flow is one.", unit = "entries")
    int getActiveFlows();

    /** Packets cut for these tables. */
    @Description(value = "Packets that XDP dropped for these tables since the native table was made.", unit = "packets")
    long getCutPackets();

    /** Their bytes. */
    @Description(value = "Bytes that XDP dropped for these tables since the native table was made.", unit = "bytes")
    long getCutBytes();

    /** Packets in the tables. */
    @Description(value = "Packets in the entries of all tables that the last sweep found.", unit = "packets")
    long getLivePackets();

    /** Packets in records. */
    @Description(value = "Packets in the records of flows that were taken out here since this start. What of CutPackets is neither"
            + " here nor in LivePackets was taken out by the tools, or by a new connection, or is what these tables lose.",
            unit = "packets")
    long getRecordedPackets();

    /**
     * The entries of a flow.
     *
     * @throws IllegalArgumentException when this is no flow
     */
    @Description("Shows the entries of a flow in all tables, of both directions.")
    @Impact(INFO)
    String[] find(@Name("protocol") @Description("TCP, UDP, ... or a number.") String protocol,
            @Name("source") @Description("An IPv4 or IPv6 address.") String source,
            @Name("sourcePort") @Description("0 to 65535; 0 for a protocol without ports.") int sourcePort,
            @Name("destination") @Description("An IPv4 or IPv6 address.") String destination,
            @Name("destinationPort") @Description("0 to 65535; 0 for a protocol without ports.") int destinationPort);

    /**
     * A page of the entries.
     *
     * @throws IllegalArgumentException when offset or limit is out of range
     */
    @Description("Shows a page of the entries of all tables, in no particular order.")
    @Impact(INFO)
    String[] list(@Name("offset") @Description("Entries to skip, from 0.") int offset,
            @Name("limit") @Description("Entries to show at most, from 1 to 10000; 0 for 100.") int limit);
}
