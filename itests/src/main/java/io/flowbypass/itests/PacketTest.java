// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests;

import static io.flowbypass.itests.lab.Frame.ethernet;
import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.CutAction;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.flow.Origin;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lease;
import io.flowbypass.itests.lab.Memory;
import io.flowbypass.itests.lab.Packets;
import io.flowbypass.itests.lab.Product;
import io.flowbypass.itests.lab.Services;
import io.flowbypass.itests.lab.SweepsByHand;
import io.flowbypass.maps.Mapping;
import io.flowbypass.xdp.DataPlane;
import io.flowbypass.xdp.Verdict;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the XDP program does with which packet: single frames through the kernel's test run, no interface needed. */
class PacketTest {
    private static final String A = "198.51.100.1";
    private static final String B = "198.51.100.2";
    private static final String A6 = "2001:db8::1";
    private static final String B6 = "2001:db8:ffff::2";
    private static final int TCP = 6;
    private static final int UDP = 17;
    private static final int DCCP = 33;
    private static final int SCTP = 132;
    private static final int UDP_LITE = 136;
    private static final int ICMP = 1;
    private static final int GRE = 47;
    private static final int ESP = 50;
    private static final int ICMPV6 = 58;
    private static final int FIN = 1;
    private static final int SYN = 2;
    private static final int RST = 4;
    private static final int ACK = 16;
    private static final int MORE_FRAGMENTS_V4 = 0x2000;
    private static final int MORE_FRAGMENTS_V6 = 1;

    /** Offsets of {@code bpf/flowbypass.h}. */
    private static final int RECORD_ADDR = 32;
    private static final int RECORD_PORTS = 40;
    private static final int RECORD_MATCH = 48;
    private static final int INFO_BYTES = 144;
    private static final int ACTION_SHIFT = 24;
    private static final int PORT_SHIFT = 27;
    private static final int CONFIG_BUCKETS = 32;
    private static final int CONFIG_VLAN_MASK = 40;
    private static final int BOTH_VLANS = 0x0fff0fff;
    private static final int CONFIG_HEARTBEAT = 0;
    private static final long HOUR_NANOS = 3_600_000_000_000L;
    private static final int LIVE = 1;
    private static final int CLOSING = 2;

    private Product product;
    private SweepsByHand sweeps;
    private FlowTable table;
    private DataPlane dataPlane;
    private Packets packets;

    @BeforeEach
    void bypass() {
        product = new Product();
        // No sweep comes between a packet and a look at what it did.
        sweeps = new SweepsByHand();
        table = Services.waitFor(FlowTable.class);
        dataPlane = Services.waitFor(DataPlane.class);
        packets = new Packets("program");
        for (int protocol : new int[] {TCP, UDP}) {
            table.bypass(BypassRequest.of(FlowKey.of(protocol, A, 1000, B, 2000)));
            table.bypass(BypassRequest.of(FlowKey.of(protocol, A6, 1000, B6, 2000)));
        }
    }

    @AfterEach
    void takeDown() {
        if (product == null) {
            return;
        }
        dataPlane.setPaused(false);
        dataPlane.setLeaseSeconds(60);
        sweeps.close();
        packets.close();
        product.close();
    }

    @Test
    void aPacketOfABypassedFlowIsDroppedInBothDirections() {
        cuts(ethernet().ipv4(A, B, UDP).udp(1000, 2000).bytes());
        cuts(ethernet().ipv4(B, A, UDP).udp(2000, 1000).bytes());
        cuts(ethernet().ipv4(A, B, TCP).tcp(1000, 2000, ACK).bytes());
        cuts(ethernet().ipv4(B, A, TCP).tcp(2000, 1000, ACK).bytes());
        cuts(ethernet().ipv6(A6, B6, UDP).udp(1000, 2000).bytes());
        cuts(ethernet().ipv6(B6, A6, TCP).tcp(2000, 1000, ACK).bytes());
    }

    @Test
    void aPacketThatDiffersInOneFieldIsPassed() {
        passes(Verdict.PASSED_NO_FLOW, ethernet().ipv4(A, B, UDP).udp(1001, 2000).bytes());
        passes(Verdict.PASSED_NO_FLOW, ethernet().ipv4(A, B, UDP).udp(2000, 1000).bytes());
        passes(Verdict.PASSED_NO_FLOW, ethernet().ipv4(A, "198.51.100.3", UDP).udp(1000, 2000).bytes());
        passes(Verdict.PASSED_NO_FLOW, ethernet().ipv6(A6, "2001:db8:fffe::2", UDP).udp(1000, 2000).bytes());
        passes(Verdict.PASSED_NO_FLOW, ethernet().ipv6(A6, "2001:db8:ffff::3", UDP).udp(1000, 2000).bytes());
    }

    @Test
    void aCellIsOnlyAHintTheWholeKeyOfTheSlotHasToBeThePackets() {
        byte[] udp4 = ethernet().ipv4(A, B, UDP).udp(1000, 2000).bytes();
        byte[] udp6 = ethernet().ipv6(A6, B6, UDP).udp(1000, 2000).bytes();
        int slot4 = slotOf(UDP | 4 << 8);
        int slot6 = slotOf(UDP | 6 << 8);
        Memory.of("records", records -> {
            for (int word : new int[] {RECORD_ADDR, RECORD_PORTS, RECORD_MATCH}) {
                passesWhileAnotherBitStandsIn(records, slot4 * 128 + word, udp4);
                passesWhileAnotherBitStandsIn(records, slot6 * 128 + word, udp6);
            }
        });
        Memory.of("info", info -> {
            for (int word = 0; word < 4; word++) {
                passesWhileAnotherBitStandsIn(info, slot6 * INFO_BYTES + word * 8, udp6);
            }
        });
    }

    @Test
    void aSynThatComesWhileItsFlowIsBeingTakenOutIsNotForgottenShouldTheFlowStay() {
        int match = slotOf(TCP | 4 << 8) * 128 + RECORD_MATCH;
        Memory.of("records", records -> {
            int live = records.getInt(match);
            records.setInt(match, live ^ LIVE << 16 ^ CLOSING << 16);
            passes(Verdict.PASSED_CLOSING, ethernet().ipv4(A, B, TCP).tcp(1000, 2000, SYN).bytes());
            records.setInt(match, live);
            passes(Verdict.PASSED_REOPENED, ethernet().ipv4(A, B, TCP).tcp(1000, 2000, ACK).bytes());
        });
    }

    private static int liveSlot(Mapping records, int keyAndFamily) {
        for (int slot = 0; slot < records.size() / 128; slot++) {
            if ((records.getInt(slot * 128 + RECORD_MATCH) & 0xffffff) == (keyAndFamily | LIVE << 16)) {
                return slot;
            }
        }
        throw new AssertionError("no such flow");
    }

    /** The packet's source is the smaller endpoint, so its record is the slot's first. */
    private void passesWhileAnotherBitStandsIn(Mapping memory, int at, byte[] frame) {
        cuts(frame);
        memory.setLong(at, memory.getLong(at) ^ 1);
        passes(Verdict.PASSED_NO_FLOW, frame);
        memory.setLong(at, memory.getLong(at) ^ 1);
        cuts(frame);
    }

    @Test
    void upToEightVlanTagsAreSkipped() {
        cuts(ethernet().vlan(7).ipv4(A, B, UDP).udp(1000, 2000).bytes());
        cuts(ethernet().serviceVlan(7).vlan(8).ipv6(A6, B6, UDP).udp(1000, 2000).bytes());
        var tagged = ethernet().serviceVlan(1);
        for (int tag = 2; tag <= 8; tag++) {
            tagged.vlan(tag);
        }
        cuts(tagged.ipv4(A, B, UDP).udp(1000, 2000).bytes());
        var more = ethernet();
        for (int tag = 1; tag <= 9; tag++) {
            more.vlan(tag);
        }
        passes(Verdict.PASSED_OTHER, more.ipv4(A, B, UDP).udp(1000, 2000).bytes());
    }

    @Test
    void everyProtocolWithPortsIsCut() {
        for (int protocol : new int[] {UDP_LITE, SCTP, DCCP}) {
            table.bypass(BypassRequest.of(FlowKey.of(protocol, A, 1000, B, 2000)));
            table.bypass(BypassRequest.of(FlowKey.of(protocol, A6, 1000, B6, 2000)));
        }
        cuts(ethernet().ipv4(A, B, UDP_LITE).udpLite(1000, 2000, 8).bytes());
        cuts(ethernet().ipv6(B6, A6, UDP_LITE).udpLite(2000, 1000, 0).bytes());
        cuts(ethernet().ipv4(B, A, SCTP).sctp(2000, 1000).bytes());
        cuts(ethernet().ipv6(A6, B6, SCTP).sctp(1000, 2000).bytes());
        cuts(ethernet().ipv4(A, B, DCCP).dccp(1000, 2000, false).bytes());
        cuts(ethernet().ipv6(A6, B6, DCCP).dccp(1000, 2000, true).bytes());
    }

    @Test
    void aHeaderThatIsNotWholePassesWhateverItsProtocol() {
        for (byte[] frame : new byte[][] {ethernet().ipv4(A, B, UDP_LITE).udpLite(1000, 2000, 7).bytes(),
                ethernet().ipv4(A, B, UDP_LITE).udpLite(1000, 2000, 19).bytes(),
                ethernet().ipv6(A6, B6, DCCP).extension(DCCP, DCCP, 0).bytes()}) {
            passes(Verdict.PASSED_MALFORMED, frame);
        }
        byte[] udp = ethernet().ipv4(A, B, UDP).udp(1000, 2000).bytes();
        udp[14 + 20 + 5] = 7;
        passes(Verdict.PASSED_MALFORMED, udp);
        udp[14 + 20 + 5] = 19;
        passes(Verdict.PASSED_MALFORMED, udp);
        byte[] sctp = ethernet().ipv4(A, B, SCTP).sctp(1000, 2000).bytes();
        sctp[17] = 20 + 11;
        passes(Verdict.PASSED_MALFORMED, sctp);
        byte[] dccp = ethernet().ipv4(A, B, DCCP).dccp(1000, 2000, false).bytes();
        dccp[14 + 20 + 8] = 1;
        passes(Verdict.PASSED_MALFORMED, dccp);
    }

    /** Of a packet that ends before them, though the frame goes on. */
    @Test
    void extensionHeadersBehindThePayloadAreNone() {
        byte[] frame = ethernet().ipv6(A6, B6, 44).fragment(UDP, MORE_FRAGMENTS_V6).udp(1000, 2000).bytes();
        frame[14 + 5] = 7;
        passes(Verdict.PASSED_MALFORMED, frame);
    }

    @Test
    void portsAreReadBehindIpv4Options() {
        cuts(ethernet().ipv4(A, B, UDP, 1, 0).udp(1000, 2000).bytes());
        cuts(ethernet().ipv4(A, B, TCP, 10, 0).tcp(1000, 2000, ACK).bytes());
    }

    @Test
    void portsAreReadBehindIpv6ExtensionHeaders() {
        cuts(ethernet().ipv6(A6, B6, 0).extension(0, 60, 0).extension(60, 43, 1).extension(43, UDP, 2).udp(1000, 2000)
                .bytes());
        cuts(ethernet().ipv6(A6, B6, 51).authentication(135).extension(135, UDP, 0).udp(1000, 2000).bytes());
        cuts(ethernet().ipv6(A6, B6, 44).fragment(UDP, 0).udp(1000, 2000).bytes());
    }

    @Test
    void eightExtensionHeadersAreFollowedAndANinthPasses() {
        var eight = ethernet().ipv6(A6, B6, 60);
        var nine = ethernet().ipv6(A6, B6, 60);
        for (int i = 1; i <= 8; i++) {
            eight.extension(60, i < 8 ? 60 : UDP, 0);
            nine.extension(60, 60, 0);
        }
        cuts(eight.udp(1000, 2000).bytes());
        passes(Verdict.PASSED_OTHER, nine.extension(60, UDP, 0).udp(1000, 2000).bytes());
    }

    @Test
    void noFragmentIsCutTheFirstOneIncluded() {
        passes(Verdict.PASSED_FRAGMENT, ethernet().ipv4(A, B, UDP, 0, MORE_FRAGMENTS_V4).udp(1000, 2000).bytes());
        passes(Verdict.PASSED_FRAGMENT, ethernet().ipv4(A, B, UDP, 0, 185).udp(1000, 2000).bytes());
        passes(Verdict.PASSED_FRAGMENT,
                ethernet().ipv6(A6, B6, 44).fragment(UDP, MORE_FRAGMENTS_V6).udp(1000, 2000).bytes());
        passes(Verdict.PASSED_FRAGMENT, ethernet().ipv6(A6, B6, 44).fragment(UDP, 1480).udp(1000, 2000).bytes());
        passes(Verdict.PASSED_FRAGMENT, ethernet().ipv6(A6, B6, 0).extension(0, 44, 0).fragment(UDP, MORE_FRAGMENTS_V6)
                .udp(1000, 2000).bytes());
    }

    @Test
    void whateverIsTruncatedPasses() {
        var udp = ethernet().ipv4(A, B, UDP).udp(1000, 2000);
        var tcp6 = ethernet().ipv6(A6, B6, TCP).tcp(1000, 2000, ACK);
        for (int length = 14; length < 14 + 20 + 8; length++) {
            passes(Verdict.PASSED_MALFORMED, udp.cutTo(length));
        }
        for (int length = 14; length < 14 + 40 + 20; length++) {
            passes(Verdict.PASSED_MALFORMED, tcp6.cutTo(length));
        }
    }

    @Test
    void inconsistentLengthsPass() {
        byte[] shortHeader = ethernet().ipv4(A, B, UDP).udp(1000, 2000).bytes();
        shortHeader[14] = 0x44;
        passes(Verdict.PASSED_MALFORMED, shortHeader);
        byte[] wrongVersion = ethernet().ipv4(A, B, UDP).udp(1000, 2000).bytes();
        wrongVersion[14] = 0x65;
        passes(Verdict.PASSED_MALFORMED, wrongVersion);
        byte[] longerThanTheFrame = ethernet().ipv4(A, B, UDP).udp(1000, 2000).bytes();
        longerThanTheFrame[16] = 1;
        passes(Verdict.PASSED_MALFORMED, longerThanTheFrame);
        byte[] shorterThanUdp = ethernet().ipv4(A, B, UDP).udp(1000, 2000).bytes();
        shorterThanUdp[17] = 20 + 7;
        passes(Verdict.PASSED_MALFORMED, shorterThanUdp);
        byte[] tcpHeaderOf16 = ethernet().ipv4(A, B, TCP).tcp(1000, 2000, ACK).bytes();
        tcpHeaderOf16[14 + 20 + 12] = 0x40;
        passes(Verdict.PASSED_MALFORMED, tcpHeaderOf16);
    }

    @Test
    void whatIsNeitherIpv4NorIpv6Passes() {
        passes(Verdict.PASSED_OTHER, ethernet().bytes());
    }

    @Test
    void protocolsWithoutPortsAreCutBetweenTwoHosts() {
        for (int protocol : new int[] {ICMP, GRE, ESP}) {
            byte[] there = ethernet().ipv4(A, B, protocol).udp(0x0800, 2000).bytes();
            passes(Verdict.PASSED_NO_FLOW, there);
            table.bypass(BypassRequest.of(FlowKey.of(protocol, A, 0, B, 0)).withHostPair());
            cuts(there);
            cuts(ethernet().ipv4(B, A, protocol).udp(0, 1).bytes());
            passes(Verdict.PASSED_NO_FLOW, ethernet().ipv4(A, "198.51.100.3", protocol).udp(0x0800, 2000).bytes());
        }
        table.bypass(BypassRequest.of(FlowKey.of(ICMPV6, A6, 0, B6, 0)).withHostPair());
        cuts(ethernet().ipv6(A6, B6, ICMPV6).icmp(128).bytes());
        cuts(ethernet().ipv6(B6, A6, 60).extension(60, ICMPV6, 0).icmp(129).bytes());
    }

    @Test
    void icmpErrorsAndNeighbourDiscoveryPassWhateverIsBypassed() {
        table.bypass(BypassRequest.of(FlowKey.of(ICMP, A, 0, B, 0)).withHostPair());
        table.bypass(BypassRequest.of(FlowKey.of(ICMPV6, A6, 0, B6, 0)).withHostPair());
        cuts(ethernet().ipv4(A, B, ICMP).icmp(8).bytes());
        for (int error : new int[] {3, 4, 5, 11, 12}) {
            passes(Verdict.PASSED_ICMP_ERROR, ethernet().ipv4(A, B, ICMP).icmp(error).bytes());
        }
        for (int type : new int[] {1, 2, 3, 4, 127, 133, 134, 135, 136, 137}) {
            passes(Verdict.PASSED_ICMP_ERROR, ethernet().ipv6(A6, B6, ICMPV6).icmp(type).bytes());
        }
        cuts(ethernet().ipv6(A6, B6, ICMPV6).icmp(132).bytes());
        cuts(ethernet().ipv6(A6, B6, ICMPV6).icmp(138).bytes());
        passes(Verdict.PASSED_MALFORMED, ethernet().ipv4(A, B, ICMP).icmp(8).cutTo(14 + 20 + 7));
    }

    @Test
    void twoVlanIdsArePartOfTheKeyWhereTheyAreTracked() {
        Memory.of("config", config -> {
            config.setInt(CONFIG_VLAN_MASK, BOTH_VLANS);
            try {
                FlowKey plain = FlowKey.of(UDP, A, 1500, B, 2500);
                byte[] untagged = ethernet().ipv4(A, B, UDP).udp(1500, 2500).bytes();
                byte[] single = ethernet().vlan(0xe000 | 100).ipv4(A, B, UDP).udp(1500, 2500).bytes();
                byte[] stacked = ethernet().serviceVlan(100).vlan(200).ipv4(A, B, UDP).udp(1500, 2500).bytes();
                byte[] swapped = ethernet().serviceVlan(200).vlan(100).ipv4(A, B, UDP).udp(1500, 2500).bytes();
                byte[] deeper = ethernet().serviceVlan(100).vlan(200).vlan(300).ipv4(B, A, UDP).udp(2500, 1500).bytes();
                table.bypass(BypassRequest.of(plain.withVlans(100, 200)));
                cuts(stacked);
                cuts(deeper);
                passes(Verdict.PASSED_NO_FLOW, untagged);
                passes(Verdict.PASSED_NO_FLOW, single);
                passes(Verdict.PASSED_NO_FLOW, swapped);
                table.bypass(BypassRequest.of(plain.withVlans(100, 0)));
                cuts(single);
                table.bypass(BypassRequest.of(plain));
                cuts(untagged);
                table.bypass(BypassRequest.of(FlowKey.of(UDP, A6, 1500, B6, 2500).withVlans(7, 0)));
                cuts(ethernet().vlan(7).ipv6(B6, A6, UDP).udp(2500, 1500).bytes());
                passes(Verdict.PASSED_NO_FLOW, ethernet().vlan(8).ipv6(B6, A6, UDP).udp(2500, 1500).bytes());
            } finally {
                config.setInt(CONFIG_VLAN_MASK, 0);
            }
        });
    }

    @Test
    void finAndRstOfAFlowThatIsToPassThemReachTheMonitorSixteenTimesADirection() throws Exception {
        byte[] fin = ethernet().ipv4(A, B, TCP).tcp(1000, 2000, ACK | FIN).bytes();
        byte[] rst = ethernet().ipv4(B, A, TCP).tcp(2000, 1000, RST).bytes();
        for (int i = 0; i < 16; i++) {
            passes(Verdict.PASSED_TCP_CONTROL, fin);
        }
        cuts(fin);
        for (int i = 0; i < 16; i++) {
            passes(Verdict.PASSED_TCP_CONTROL, rst);
        }
        cuts(rst);
        FlowRecord record = table.release(FlowKey.of(TCP, A, 1000, B, 2000)).get(10, TimeUnit.SECONDS).orElseThrow();
        assertThat(record.flow().forward().packets()).as("packets cut").isEqualTo(1);
        assertThat(record.flow().forward().tcpFlags()).isEqualTo(ACK | FIN);
        assertThat(record.flow().reverse().tcpFlags()).isEqualTo(RST);
    }

    @Test
    void finAndRstReachAMonitorThatIsZeekOrThatAskedForThem() {
        table.bypass(BypassRequest.of(FlowKey.of(TCP, A, 1003, B, 2000)).withOrigin(Origin.ZEEK));
        passes(Verdict.PASSED_TCP_CONTROL, ethernet().ipv4(A, B, TCP).tcp(1003, 2000, ACK | FIN).bytes());
        table.bypass(BypassRequest.of(FlowKey.of(TCP, A, 1004, B, 2000)).withOrigin(Origin.SURICATA).withPassControl(true));
        passes(Verdict.PASSED_TCP_CONTROL, ethernet().ipv4(A, B, TCP).tcp(1004, 2000, RST).bytes());
        table.bypass(BypassRequest.of(FlowKey.of(TCP, A, 1005, B, 2000)).withPassControl(false));
        cuts(ethernet().ipv4(A, B, TCP).tcp(1005, 2000, ACK | FIN).bytes());
    }

    @Test
    void flagsAndTheTimeOfTheLastPacketAreKeptAlsoWhilePausedAndWhileTheLeaseIsOver() {
        FlowKey key = FlowKey.of(TCP, A, 1000, B, 2000);
        Instant before = table.find(key).orElseThrow().lastSeen();
        dataPlane.setPaused(true);
        Jmx.eventually(() -> {
            passes(Verdict.PASSED_PAUSED, ethernet().ipv4(A, B, TCP).tcp(1000, 2000, ACK | FIN).bytes());
            return table.find(key).orElseThrow().lastSeen().isAfter(before);
        }, "the time of the last packet moves on while paused");
        dataPlane.setPaused(false);
        assertThat(table.find(key).orElseThrow().forward().tcpFlags()).isEqualTo(ACK | FIN);
        Lease.over(() ->
                passes(Verdict.PASSED_LEASE, ethernet().ipv4(B, A, TCP).tcp(2000, 1000, ACK | RST).bytes()));
        assertThat(table.find(key).orElseThrow().reverse().tcpFlags()).isEqualTo(ACK | RST);
        assertThat(table.find(key).orElseThrow().packets()).as("packets cut").isZero();
    }

    @Test
    void finAndRstOfAFlowOfSuricatasAreCutAndRemembered() throws Exception {
        FlowKey key = FlowKey.of(TCP, A, 1001, B, 2000);
        table.bypass(BypassRequest.of(key).withOrigin(Origin.SURICATA));
        cuts(ethernet().ipv4(A, B, TCP).tcp(1001, 2000, ACK | FIN).bytes());
        cuts(ethernet().ipv4(B, A, TCP).tcp(2000, 1001, RST).bytes());
        FlowRecord record = table.release(key).get(10, TimeUnit.SECONDS).orElseThrow();
        assertThat(record.flow().forward().tcpFlags()).isEqualTo(ACK | FIN);
        assertThat(record.flow().reverse().tcpFlags()).isEqualTo(RST);
    }

    @Test
    void aFlowThatIsOnlyCountedPassesAndIsCounted() throws Exception {
        FlowKey key = FlowKey.of(TCP, A, 1002, B, 2000);
        table.bypass(BypassRequest.of(key).withAction(CutAction.COUNT));
        byte[] data = ethernet().ipv4(A, B, TCP).tcp(1002, 2000, ACK).bytes();
        byte[] fin = ethernet().ipv4(A, B, TCP).tcp(1002, 2000, ACK | FIN).bytes();
        passes(Verdict.CUT_COUNTED, data);
        passes(Verdict.CUT_COUNTED, fin);
        FlowRecord record = table.release(key).get(10, TimeUnit.SECONDS).orElseThrow();
        assertThat(record.flow().forward().packets()).isEqualTo(2);
        assertThat(record.flow().forward().bytes()).isEqualTo(data.length + fin.length);
        assertThat(record.flow().action()).isEqualTo(CutAction.COUNT);
        assertThat(table.statistics().unaccountedPackets()).isZero();
    }

    @Test
    void anActionThatIsNoneAndAPortThatIsNotTherePassAndAreCountedAsErrors() {
        byte[] frame = ethernet().ipv4(A, B, UDP).udp(1000, 2000).bytes();
        Memory.of("records", records -> {
            int match = liveSlot(records, UDP | 4 << 8) * 128 + RECORD_MATCH;
            int usual = records.getInt(match);
            records.setInt(match, usual | 3 << ACTION_SHIFT);
            passes(Verdict.ERROR, frame);
            records.setInt(match, usual | 1 << ACTION_SHIFT | 15 << PORT_SHIFT);
            passes(Verdict.ERROR_REDIRECT, frame);
            records.setInt(match, usual);
            cuts(frame);
        });
        assertThat(table.find(FlowKey.of(UDP, A, 1000, B, 2000)).orElseThrow().packets()).as("counted as cut").isEqualTo(1);
        assertThat(table.statistics().unaccountedPackets()).isZero();
    }

    @Test
    void aConfigurationThatLeadsOutOfTheIndexPassesAndIsCountedAsAnError() {
        byte[] frame = ethernet().ipv4(A, B, UDP).udp(1000, 2000).bytes();
        Memory.of("config", config -> {
            int mask = config.getInt(CONFIG_BUCKETS);
            config.setInt(CONFIG_BUCKETS, -1);
            try {
                passes(Verdict.ERROR, frame);
            } finally {
                config.setInt(CONFIG_BUCKETS, mask);
            }
            cuts(frame);
        });
    }

    @Test
    void aCellThatNamesNoSlotPassesAndIsCountedAsAnError() {
        byte[] frame = ethernet().ipv4(A, B, UDP).udp(1000, 2000).bytes();
        Memory.of("index", index -> {
            int slot = slotOf(UDP | 4 << 8);
            int cell = cellOf(index, slot);
            long usual = index.getLong(cell);
            index.setLong(cell, usual | 0x7fffffff);
            try {
                passes(Verdict.ERROR, frame);
            } finally {
                index.setLong(cell, usual);
            }
            cuts(frame);
        });
    }

    private int slotOf(int keyAndFamily) {
        int[] slot = new int[1];
        Memory.of("records", records -> slot[0] = liveSlot(records, keyAndFamily));
        return slot[0];
    }

    private static int cellOf(Mapping index, int slot) {
        for (int cell = 0; cell < index.size(); cell += Long.BYTES) {
            if (index.getLong(cell) != 0 && (int) index.getLong(cell) == slot) {
                return cell;
            }
        }
        throw new AssertionError("no cell names slot " + slot);
    }

    @Test
    void aPacketInSeveralBuffersIsReadAndCountedWhole() throws Exception {
        byte[] jumbo = ethernet().ipv4(A, B, UDP).udp(1000, 2000, 8900).bytes();
        try (Packets frags = new Packets("program-frags")) {
            frags.cuts(jumbo);
            frags.passes(Verdict.PASSED_NO_FLOW, ethernet().ipv4(A, B, UDP).udp(1001, 2000, 8900).bytes());
        }
        FlowRecord record = table.release(FlowKey.of(UDP, A, 1000, B, 2000)).get(10, TimeUnit.SECONDS).orElseThrow();
        assertThat(record.flow().forward().bytes()).isEqualTo(jumbo.length);
    }

    @Test
    void aSynOnABypassedTupleEndsTheBypassInBothDirections() {
        cuts(ethernet().ipv4(A, B, TCP).tcp(1000, 2000, SYN | ACK).bytes());
        passes(Verdict.PASSED_REOPENED, ethernet().ipv4(A, B, TCP).tcp(1000, 2000, SYN).bytes());
        passes(Verdict.PASSED_REOPENED, ethernet().ipv4(B, A, TCP).tcp(2000, 1000, SYN | ACK).bytes());
        passes(Verdict.PASSED_REOPENED, ethernet().ipv4(A, B, TCP).tcp(1000, 2000, ACK).bytes());
        assertThat(sweeps.sweep()).as("flows that the sweep takes out").isEqualTo(1);
        passes(Verdict.PASSED_NO_FLOW, ethernet().ipv4(A, B, TCP).tcp(1000, 2000, ACK).bytes());
    }

    @Test
    void aSynReopensAlsoWhilePausedAndNothingElseIsCutThen() {
        dataPlane.setPaused(true);
        passes(Verdict.PASSED_PAUSED, ethernet().ipv4(A, B, UDP).udp(1000, 2000).bytes());
        passes(Verdict.PASSED_REOPENED, ethernet().ipv4(A, B, TCP).tcp(1000, 2000, SYN).bytes());
        dataPlane.setPaused(false);
        cuts(ethernet().ipv4(A, B, UDP).udp(1000, 2000).bytes());
    }

    @Test
    void onceTheLeaseIsOverPacketsPassAndASynReopensNevertheless() {
        Lease.over(() -> {
            passes(Verdict.PASSED_LEASE, ethernet().ipv4(A, B, UDP).udp(1000, 2000).bytes());
            passes(Verdict.PASSED_REOPENED, ethernet().ipv4(A, B, TCP).tcp(1000, 2000, SYN).bytes());
        });
        cuts(ethernet().ipv4(A, B, UDP).udp(1000, 2000).bytes());
    }

    @Test
    void aHeartbeatAheadOfTheCoarseClockIsAFreshOne() {
        Memory.of("config", config -> {
            config.setLong(CONFIG_HEARTBEAT, System.nanoTime() + HOUR_NANOS);
            cuts(ethernet().ipv4(A, B, UDP).udp(1000, 2000).bytes());
            dataPlane.heartbeat();
        });
    }

    @Test
    void aFlowRemembersItsFlagsBytesAndPackets() throws Exception {
        byte[] there = ethernet().ipv4(A, B, TCP).tcp(1000, 2000, ACK | 8).bytes();
        byte[] back = ethernet().ipv4(B, A, TCP).tcp(2000, 1000, ACK | 2).bytes();
        cuts(there);
        cuts(there);
        cuts(back);
        FlowRecord record = table.release(FlowKey.of(TCP, A, 1000, B, 2000)).get(10, TimeUnit.SECONDS).orElseThrow();
        assertThat(record.flow().forward().packets()).isEqualTo(2);
        assertThat(record.flow().forward().bytes()).isEqualTo(2L * there.length);
        assertThat(record.flow().forward().tcpFlags()).isEqualTo(ACK | 8);
        assertThat(record.flow().reverse().packets()).isEqualTo(1);
        assertThat(record.flow().reverse().tcpFlags()).isEqualTo(ACK | 2);
        assertThat(record.reason()).isEqualTo(EndReason.RELEASED);
    }

    private void cuts(byte[] frame) {
        packets.cuts(frame);
    }

    private void passes(Verdict verdict, byte[] frame) {
        packets.passes(verdict, frame);
    }
}
