// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.itests.lab.ClassicClient;
import io.flowbypass.itests.lab.Frame;
import io.flowbypass.itests.lab.Framework;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lease;
import io.flowbypass.itests.lab.Memory;
import io.flowbypass.itests.lab.OtherTools;
import io.flowbypass.itests.lab.Packets;
import io.flowbypass.itests.lab.Product;
import io.flowbypass.itests.lab.Records;
import io.flowbypass.itests.lab.Services;
import io.flowbypass.itests.lab.SweepsByHand;
import io.flowbypass.xdp.Verdict;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What XDP does with single packets of flows in the tables of other tools. */
class ClassicPacketTest {
    private static final int TCP = 6;
    private static final int UDP = 17;
    private static final int ICMP = 1;
    private static final int FIN = 0x11;
    private static final int SYN = 0x02;
    private static final int ACK = 0x10;
    private static final String A = "192.0.2.1";
    private static final String B = "198.51.100.7";
    private static final String A6 = "2001:db8::1";
    private static final String B6 = "2001:db8:1::2";
    /** Smaller than the one behind it as a number of the wire, greater as one of this machine. */
    private static final String LOW = "10.0.0.2";
    private static final String HIGH = "192.0.2.1";
    private static final List<String> TOOLS = List.of("libflowbypass", "suricata:fbitest", "zeek");
    /** Offset of {@code bpf/flowbypass.h}. */
    private static final int CONFIG_VLAN_MASK = 40;

    private Product product;
    private SweepsByHand sweeps;
    private OtherTools tools;
    private Packets packets;
    private Records records;

    @BeforeEach
    void build() {
        product = new Product();
        sweeps = new SweepsByHand();
        tools = new OtherTools("libflowbypass, suricata/fbitest, zeek", 6);
        packets = new Packets("program");
        records = new Records();
    }

    @AfterEach
    void takeDown() {
        if (records == null) {
            return;
        }
        records.close();
        packets.close();
        tools.close();
        sweeps.close();
        product.close();
    }

    private static ClassicClient client(String tool) {
        return new ClassicClient(tool, OtherTools.BPFFS);
    }

    @Test
    void theProgramForPacketsInSeveralBuffersKnowsTheTablesToo() {
        try (Packets frags = new Packets("program-frags")) {
            for (String tool : TOOLS) {
                client(tool).insert("udp", A, 1000, B, 2000);
                frags.cutsClassic(Frame.ethernet().ipv4(A, B, UDP).udp(1000, 2000).bytes());
                assertThat(client(tool).packets("udp", A, 1000, B, 2000)).as(tool).containsExactly(1, 0);
                client(tool).delete("udp", A, 1000, B, 2000);
            }
        }
    }

    @Test
    void bothFamiliesAndDirectionsAreFoundInEachTable() {
        for (String tool : TOOLS) {
            client(tool).insert("tcp", LOW, 1000, HIGH, 2000);
            client(tool).insert("udp", A6, 1000, B6, 2000);
            packets.cutsClassic(Frame.ethernet().ipv4(LOW, HIGH, TCP).tcp(1000, 2000, ACK).bytes());
            packets.cutsClassic(Frame.ethernet().ipv4(HIGH, LOW, TCP).tcp(2000, 1000, ACK).bytes());
            packets.cutsClassic(Frame.ethernet().ipv4(HIGH, LOW, TCP, 2, 0).tcp(2000, 1000, ACK).bytes());
            packets.cutsClassic(Frame.ethernet().vlan(7).ipv6(A6, B6, UDP).udp(1000, 2000).bytes());
            assertThat(client(tool).packets("tcp", LOW, 1000, HIGH, 2000)).as(tool).containsExactly(1, 2);
            assertThat(client(tool).packets("udp", A6, 1000, B6, 2000)).as(tool).containsExactly(1, 0);
            packets.passes(Verdict.PASSED_NO_FLOW, Frame.ethernet().ipv4(LOW, HIGH, UDP).udp(1000, 2000).bytes());
            packets.passes(Verdict.PASSED_FRAGMENT, Frame.ethernet().ipv4(LOW, HIGH, TCP, 0, 0x2000).tcp(1000, 2000, ACK)
                    .bytes());
            client(tool).delete("tcp", LOW, 1000, HIGH, 2000);
            client(tool).delete("udp", A6, 1000, B6, 2000);
        }
    }

    @Test
    void aNewConnectionIsPassedAndEndsTheBypassInBothDirectionsAlsoWhenTheLeaseIsOver() {
        byte[] syn = Frame.ethernet().ipv4(A, B, TCP).tcp(1000, 2000, SYN).bytes();
        byte[] syn6 = Frame.ethernet().ipv6(B6, A6, TCP).tcp(2000, 1000, SYN).bytes();
        for (String tool : TOOLS) {
            client(tool).insert("tcp", A, 1000, B, 2000);
            packets.passes(Verdict.PASSED_REOPENED, syn);
            assertThat(client(tool).packets("tcp", A, 1000, B, 2000)).as(tool).containsOnly(-1);
            client(tool).insert("tcp", A6, 1000, B6, 2000);
            Lease.over(() -> packets.passes(Verdict.PASSED_REOPENED, syn6));
            assertThat(client(tool).packets("tcp", A6, 1000, B6, 2000)).as(tool).containsOnly(-1);
            packets.passes(Verdict.PASSED_NO_FLOW, syn);
        }
    }

    @Test
    void aNewConnectionEndsItsBypassInEveryTableAtOnceAlsoWhereOnlyTheOtherDirectionIsLeft() {
        byte[] syn = Frame.ethernet().ipv4(A, B, TCP).tcp(1000, 2000, SYN).bytes();
        for (String tool : TOOLS) {
            client(tool).insert("tcp", A, 1000, B, 2000);
        }
        FlowKey key = FlowKey.of(TCP, A, 1000, B, 2000);
        Services.waitFor(FlowTable.class).bypass(BypassRequest.of(key));
        packets.passes(Verdict.PASSED_REOPENED, syn);
        for (String tool : TOOLS) {
            assertThat(client(tool).packets("tcp", A, 1000, B, 2000)).as(tool).containsOnly(-1);
        }
        sweeps.sweep();
        client("libflowbypass").run("insert-one", "tcp", B, "2000", A, "1000");
        packets.passes(Verdict.PASSED_REOPENED, syn);
        packets.passes(Verdict.PASSED_NO_FLOW, Frame.ethernet().ipv4(B, A, TCP).tcp(2000, 1000, SYN | ACK).bytes());
    }

    @Test
    void aFinIsPassedToTheMonitorButSuricata() {
        byte[] fin = Frame.ethernet().ipv4(A, B, TCP).tcp(1000, 2000, FIN).bytes();
        for (String tool : TOOLS) {
            client(tool).insert("tcp", A, 1000, B, 2000);
            if (tool.startsWith("suricata")) {
                packets.cutsClassic(fin);
            } else {
                packets.passes(Verdict.PASSED_TCP_CONTROL, fin);
            }
            client(tool).delete("tcp", A, 1000, B, 2000);
        }
    }

    @Test
    void nothingIsCutWhileTheLeaseIsOverOrAllIsPaused() {
        byte[] packet = Frame.ethernet().ipv4(A, B, UDP).udp(1000, 2000).bytes();
        for (String tool : TOOLS) {
            client(tool).insert("udp", A, 1000, B, 2000);
            Lease.over(() -> packets.passes(Verdict.PASSED_LEASE, packet));
            Jmx.setAttribute("Xdp", "Paused", true);
            try {
                packets.passes(Verdict.PASSED_PAUSED, packet);
            } finally {
                Jmx.setAttribute("Xdp", "Paused", false);
            }
            assertThat(client(tool).packets("udp", A, 1000, B, 2000)).as(tool).containsExactly(0, 0);
            packets.cutsClassic(packet);
            client(tool).delete("udp", A, 1000, B, 2000);
        }
    }

    @Test
    void vlanIdsArePartOfTheKeysOfThoseThatHaveThemWhereTheyAreTracked() {
        byte[] packet = Frame.ethernet().serviceVlan(100).vlan(200).ipv4(A, B, UDP).udp(1000, 2000).bytes();
        byte[] other = Frame.ethernet().serviceVlan(100).vlan(201).ipv4(A, B, UDP).udp(1000, 2000).bytes();
        Memory.of("config", config -> {
            config.setInt(CONFIG_VLAN_MASK, 0x0fff0fff);
            try {
                for (String tool : List.of("suricata:fbitest", "zeek")) {
                    client(tool).run("insert", "udp", A, "1000", B, "2000", "100", "200");
                    packets.cutsClassic(packet);
                    packets.passes(Verdict.PASSED_NO_FLOW, other);
                    client(tool).run("delete", "udp", A, "1000", B, "2000", "100", "200");
                }
            } finally {
                config.setInt(CONFIG_VLAN_MASK, 0);
            }
        });
    }

    @Test
    void aPairOfHostsOfZeeksIsCutWhateverItsPortsAndOutlivesItsConnections() {
        ClassicClient zeek = client("zeek");
        zeek.run("pair", LOW, HIGH);
        packets.cutsClassic(Frame.ethernet().ipv4(LOW, HIGH, UDP).udp(1, 2).bytes());
        packets.cutsClassic(Frame.ethernet().ipv4(HIGH, LOW, TCP).tcp(3, 4, SYN).bytes());
        packets.cutsClassic(Frame.ethernet().ipv4(HIGH, LOW, TCP).tcp(3, 4, FIN).bytes());
        packets.cutsClassic(Frame.ethernet().ipv4(HIGH, LOW, ICMP).icmp(8).bytes());
        packets.passes(Verdict.PASSED_ICMP_ERROR, Frame.ethernet().ipv4(HIGH, LOW, ICMP).icmp(3).bytes());
        packets.passes(Verdict.PASSED_NO_FLOW, Frame.ethernet().ipv4(HIGH, LOW, 47).bytes());
        sweeps.sweep();
        assertThat((Object[]) Jmx.invoke("Classic", "list", 0, 10)).singleElement()
                .satisfies(line -> assertThat(line.toString()).contains("1 packets", "3 packets"));
        zeek.run("unpair", LOW, HIGH);
        packets.passes(Verdict.PASSED_NO_FLOW, Frame.ethernet().ipv4(LOW, HIGH, UDP).udp(1, 2).bytes());
    }

    @Test
    void whatTheNeverCutListNamesIsTakenOutOfEveryTableWithinASweep() {
        for (String tool : TOOLS) {
            client(tool).insert("udp", A, 1000, B, 2000);
        }
        client("zeek").run("pair", A, B);
        packets.cutsClassic(Frame.ethernet().ipv4(A, B, UDP).udp(1000, 2000).bytes());
        Framework.configure("io.flowbypass.table", "never.cut", B + " udp/2000");
        try {
            Jmx.eventually(() -> {
                sweeps.sweep();
                return records.ended().size() == 6;
            }, "two entries each of two tools, a flow and a pair of Zeek's are taken out");
            assertThat(records.ended()).allSatisfy(record -> assertThat(record.reason()).isEqualTo(EndReason.NEVER_CUT));
            packets.passes(Verdict.PASSED_NO_FLOW, Frame.ethernet().ipv4(A, B, UDP).udp(1000, 2000).bytes());
        } finally {
            Framework.configure("io.flowbypass.table", "never.cut", "");
        }
    }
}
