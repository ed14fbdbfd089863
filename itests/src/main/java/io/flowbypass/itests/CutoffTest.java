// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests;

import static io.flowbypass.itests.lab.Frame.ethernet;
import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowState;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.flow.Origin;
import io.flowbypass.itests.lab.Crowd;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lease;
import io.flowbypass.itests.lab.Memory;
import io.flowbypass.itests.lab.Packets;
import io.flowbypass.itests.lab.Product;
import io.flowbypass.itests.lab.Services;
import io.flowbypass.itests.lab.SweepsByHand;
import io.flowbypass.libbpf.Bpf;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.Codec;
import io.flowbypass.maps.ElementQueue;
import io.flowbypass.maps.MapService;
import io.flowbypass.xdp.CutoffOutcome;
import io.flowbypass.xdp.DataPlane;
import io.flowbypass.xdp.Verdict;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.osgi.service.cm.ConfigurationAdmin;

/** XDP cuts flows off by itself: which, when, and what user space learns of it. */
class CutoffTest {
    private static final String CLIENT = "198.51.100.1";
    private static final String SERVER = "203.0.113.2";
    private static final String CLIENT6 = "2001:db8::1";
    private static final String SERVER6 = "2001:db8:ffff::2";
    private static final int TCP = 6;
    private static final int UDP = 17;
    private static final int SYN = 2;
    private static final int ACK = 16;

    /** Offsets of {@code bpf/flowbypass.h}. */
    private static final int CONFIG_ALLOWED = 64;
    private static final int ALLOWED_BYTES = 32;
    private static final int BUCKET_BYTES = 64;
    private static final int BUCKET_ELSEWHERE = 56;
    private static final int RECORD_PORTS = 40;
    private static final int RECORD_MATCH = 48;
    private static final int LIVE = 1;
    private static final int CLAIMED = 4;

    private Product product;
    private SweepsByHand sweeps;
    private FlowTable table;
    private DataPlane dataPlane;
    private Packets packets;
    private String neverCut = "";

    @BeforeEach
    void switchOn() {
        product = new Product();
        sweeps = new SweepsByHand();
        table = Services.waitFor(FlowTable.class);
        dataPlane = Services.waitFor(DataPlane.class);
        packets = new Packets("program");
        dataPlane.setCutoffPackets(10);
        dataPlane.setCutoffBytes(0);
        dataPlane.setCutoffEnabled(true);
        awaitReserve();
    }

    @AfterEach
    void switchOff() throws IOException {
        if (product == null) {
            return;
        }
        dataPlane.setPaused(false);
        dataPlane.setCutoffEnabled(false);
        allow(TCP << 16 | 443);
        neverCut("");
        sweeps.close();
        packets.close();
        product.close();
    }

    /** XDP has slots to take: housekeeping lends them within a second. */
    private void awaitReserve() {
        try (BpfMap reserve = Services.waitFor(MapService.class).open(Path.of(Product.PIN_ROOT, "reserve"))) {
            ElementQueue<Integer> queue = reserve.queue(Codec.INT);
            Jmx.eventually(() -> queue.peek().isPresent(), "slots are lent");
        }
    }

    private static byte[] there(int port) {
        return ethernet().ipv4(CLIENT, SERVER, TCP).tcp(port, 443, ACK).bytes();
    }

    private static byte[] back(int port) {
        return ethernet().ipv4(SERVER, CLIENT, TCP).tcp(443, port, ACK).bytes();
    }

    private static FlowKey key(int port) {
        return FlowKey.of(TCP, CLIENT, port, SERVER, 443);
    }

    private static void allow(int... entries) {
        Memory.of("config", config -> {
            config.put(CONFIG_ALLOWED, new byte[ALLOWED_BYTES]);
            for (int i = 0; i < entries.length; i++) {
                config.setIntRelease(CONFIG_ALLOWED + i * Integer.BYTES, entries[i]);
            }
        });
    }

    private void neverCut(String list) throws IOException {
        if (!list.equals(neverCut)) {
            Dictionary<String, Object> properties = new Hashtable<>();
            properties.put("never.cut", list);
            Services.waitFor(ConfigurationAdmin.class).getConfiguration("io.flowbypass.table", "?").update(properties);
            neverCut = list;
        }
    }

    private long count(CutoffOutcome outcome) {
        return dataPlane.cutoffs().get(outcome);
    }

    private FlowState found(FlowKey key) {
        return table.find(key).orElseThrow();
    }

    @Test
    void aFlowIsCutOffOnceBothItsDirectionsTogetherPassTheThresholdOfPackets() throws Exception {
        long before = count(CutoffOutcome.DONE);
        for (int i = 0; i < 5; i++) {
            packets.passes(Verdict.PASSED_NO_FLOW, there(41000));
            packets.passes(Verdict.PASSED_NO_FLOW, back(41000));
        }
        packets.cuts(there(41000));
        packets.cuts(back(41000));
        packets.cuts(back(41000));
        assertThat(count(CutoffOutcome.DONE)).isEqualTo(before + 1);
        FlowState flow = found(key(41000));
        assertThat(flow.key()).as("from the client").isEqualTo(key(41000));
        assertThat(flow.origin()).isEqualTo(Origin.AUTOMATIC);
        assertThat(flow.forward().packets()).isEqualTo(1);
        assertThat(flow.reverse().packets()).isEqualTo(2);
        Jmx.eventually(() -> table.statistics().activeFlows() == 1, "the flow is counted as active");
        FlowRecord record = table.release(key(41000)).get(10, TimeUnit.SECONDS).orElseThrow();
        assertThat(record.flow().packets()).isEqualTo(3);
        assertThat(record.flow().bytes()).isEqualTo(there(41000).length + 2L * back(41000).length);
        assertThat(table.statistics().unaccountedPackets()).isZero();
        assertThat(table.statistics().activeFlows()).isZero();
    }

    @Test
    void orTheThresholdOfBytesAndAThresholdChangesAtOnce() {
        dataPlane.setCutoffPackets(0);
        dataPlane.setCutoffBytes(1000);
        int each = there(41001).length;
        for (int bytes = 0; bytes < 1000; bytes += 2 * each) {
            packets.passes(Verdict.PASSED_NO_FLOW, there(41001));
            packets.passes(Verdict.PASSED_NO_FLOW, back(41001));
        }
        packets.cuts(there(41001));
        packets.send(there(41002), 50);
        dataPlane.setCutoffBytes(1 << 20);
        packets.passes(Verdict.PASSED_NO_FLOW, back(41002));
        packets.passes(Verdict.PASSED_NO_FLOW, there(41002));
        dataPlane.setCutoffBytes(1000);
        packets.passes(Verdict.PASSED_NO_FLOW, there(41002));
        packets.cuts(there(41002));
    }

    @Test
    void anIpv6FlowIsCutOffToo() {
        byte[] there = ethernet().ipv6(CLIENT6, SERVER6, TCP).tcp(41000, 443, ACK).bytes();
        byte[] back = ethernet().ipv6(SERVER6, CLIENT6, TCP).tcp(443, 41000, ACK).bytes();
        packets.send(there, 20);
        packets.passes(Verdict.PASSED_NO_FLOW, back);
        packets.cuts(there);
        packets.cuts(back);
        assertThat(found(FlowKey.of(TCP, SERVER6, 443, CLIENT6, 41000)).key())
                .isEqualTo(FlowKey.of(TCP, CLIENT6, 41000, SERVER6, 443));
    }

    @Test
    void aFlowSeenInOneDirectionOnlyIsNotCutOff() {
        packets.send(there(41003), 100);
        packets.passes(Verdict.PASSED_NO_FLOW, there(41003));
        packets.passes(Verdict.PASSED_NO_FLOW, back(41003));
        packets.cuts(there(41003));
    }

    @Test
    void nothingIsCutOffThatTheListDoesNotAllow() {
        byte[] there = ethernet().ipv4(CLIENT, SERVER, TCP).tcp(41004, 80, ACK).bytes();
        byte[] back = ethernet().ipv4(SERVER, CLIENT, TCP).tcp(80, 41004, ACK).bytes();
        byte[] quic = ethernet().ipv4(CLIENT, SERVER, UDP).udp(41004, 443).bytes();
        byte[] quicBack = ethernet().ipv4(SERVER, CLIENT, UDP).udp(443, 41004).bytes();
        for (byte[] frame : new byte[][] {there, back, quic, quicBack, there, quic}) {
            packets.send(frame, 100);
        }
        packets.passes(Verdict.PASSED_NO_FLOW, there);
        packets.passes(Verdict.PASSED_NO_FLOW, quic);
        allow(TCP << 16 | 443, UDP << 16 | 443);
        packets.send(quic, 100);
        packets.send(quicBack, 100);
        packets.cuts(quic);
    }

    /** Else whoever sends from port 443 would have any service cut off. */
    @Test
    void aClientsPortMakesNoServiceOfTheSystemOneThatIsAllowed() {
        byte[] there = ethernet().ipv4(CLIENT, SERVER, TCP).tcp(443, 22, ACK).bytes();
        packets.send(there, 50);
        packets.send(ethernet().ipv4(SERVER, CLIENT, TCP).tcp(22, 443, ACK).bytes(), 50);
        packets.passes(Verdict.PASSED_NO_FLOW, there);
        assertThat(table.find(FlowKey.of(TCP, CLIENT, 443, SERVER, 22))).isEmpty();
    }

    @Test
    void tunnelsAndProtocolsWithoutPortsAreNeverCutOffWhateverTheListSays() {
        allow(UDP << 16 | 443, UDP << 16 | 4789, 1 << 16, 4 << 16, 47 << 16, 50 << 16);
        for (int tunnel : new int[] {4789, 8472, 6081, 2152}) {
            long never = count(CutoffOutcome.NEVER_CUT);
            byte[] there = ethernet().ipv4(CLIENT, SERVER, UDP).udp(443, tunnel).bytes();
            packets.send(there, 20);
            packets.send(ethernet().ipv4(SERVER, CLIENT, UDP).udp(tunnel, 443).bytes(), 20);
            packets.passes(Verdict.PASSED_NO_FLOW, there);
            assertThat(count(CutoffOutcome.NEVER_CUT)).isGreaterThan(never);
        }
        for (int protocol : new int[] {1, 4, 47, 50}) {
            byte[] there = ethernet().ipv4(CLIENT, SERVER, protocol).icmp(8).bytes();
            packets.send(there, 20);
            packets.send(ethernet().ipv4(SERVER, CLIENT, protocol).icmp(0).bytes(), 20);
            packets.passes(Verdict.PASSED_NO_FLOW, there);
        }
    }

    @Test
    void nothingIsCutOffWhilePausedOrWhileTheLeaseIsOver() {
        dataPlane.setPaused(true);
        packets.send(there(41005), 100);
        packets.send(back(41005), 100);
        dataPlane.setPaused(false);
        packets.passes(Verdict.PASSED_NO_FLOW, there(41005));
        Lease.over(() -> {
            packets.send(there(41005), 100);
            packets.send(back(41005), 100);
        });
        packets.passes(Verdict.PASSED_NO_FLOW, there(41005));
        packets.passes(Verdict.PASSED_NO_FLOW, back(41005));
        assertThat(table.find(key(41005))).isEmpty();
    }

    @Test
    void nothingIsCutOffWhenItIsSwitchedOff() {
        dataPlane.setCutoffEnabled(false);
        packets.send(there(41006), 100);
        packets.send(back(41006), 100);
        packets.passes(Verdict.PASSED_NO_FLOW, there(41006));
    }

    @Test
    void aNewConnectionOnTheSameTupleIsCountedAnew() {
        packets.send(back(41007), 1);
        packets.send(there(41007), 7);
        packets.send(ethernet().ipv4(CLIENT, SERVER, TCP).tcp(41007, 443, SYN).bytes(), 1);
        for (int i = 0; i < 8; i++) {
            packets.passes(Verdict.PASSED_NO_FLOW, there(41007));
        }
        packets.passes(Verdict.PASSED_NO_FLOW, back(41007));
        packets.cuts(there(41007));
    }

    @Test
    void whatTheNeverCutListNamesIsNotCutOffAndAChangedListEndsWhatItNames() throws Exception {
        neverCut("203.0.113.0/24 tcp/443");
        // In force in the kernel as soon as a bypass by hand is refused by it, and one grace later.
        Jmx.eventually(() -> refusedByList(key(1)), "the list is in force");
        Services.waitFor(MapService.class).awaitRunningPrograms();
        long never = count(CutoffOutcome.NEVER_CUT);
        packets.send(there(41008), 20);
        packets.send(back(41008), 20);
        packets.passes(Verdict.PASSED_NO_FLOW, there(41008));
        assertThat(count(CutoffOutcome.NEVER_CUT)).isGreaterThan(never);
        neverCut("2001:db8::/32");
        Jmx.eventually(() -> !refusedByList(key(2)), "the changed list is in force");
        Jmx.eventually(() -> {
            packets.send(there(41008), 20);
            packets.send(back(41008), 20);
            return table.find(key(41008)).isPresent();
        }, "what is no longer on the list is cut off");
        assertThat(table.bypass(BypassRequest.of(FlowKey.of(TCP, "198.18.0.1", 1, "198.18.0.2", 443)))).isTrue();
        neverCut("2001:db8::/32, 198.51.100.1");
        Jmx.eventually(() -> table.find(key(41008)).isEmpty(), "a changed list takes out what it names");
        assertThat(table.find(FlowKey.of(TCP, "198.18.0.1", 1, "198.18.0.2", 443))).as("another flow").isPresent();
    }

    @Test
    void theNeverCutListIsHeldToForIpv6AndByPortAndProtocol() throws Exception {
        neverCut("2001:db8:ffff::/48 tcp/443, 203.0.113.0/24 tcp/444, 203.0.113.0/24 udp");
        byte[] there6 = ethernet().ipv6(CLIENT6, SERVER6, TCP).tcp(41012, 443, ACK).bytes();
        byte[] back6 = ethernet().ipv6(SERVER6, CLIENT6, TCP).tcp(443, 41012, ACK).bytes();
        FlowKey key6 = FlowKey.of(TCP, CLIENT6, 1, SERVER6, 443);
        Jmx.eventually(() -> refusedByList(key6), "the list is in force");
        Services.waitFor(MapService.class).awaitRunningPrograms();
        packets.send(there6, 20);
        packets.send(back6, 20);
        packets.passes(Verdict.PASSED_NO_FLOW, there6);
        packets.send(there(41012), 20);
        packets.send(back(41012), 20);
        packets.cuts(there(41012));
    }

    @Test
    void aFlowOfThisMachineIsNotCutOff() throws Exception {
        InetAddress own = NetworkInterface.networkInterfaces().flatMap(NetworkInterface::inetAddresses)
                .filter(address -> address instanceof Inet4Address && !address.isLoopbackAddress()).findFirst().orElseThrow();
        byte[] there = ethernet().ipv4(own.getHostAddress(), SERVER, TCP).tcp(41013, 443, ACK).bytes();
        long never = count(CutoffOutcome.NEVER_CUT);
        packets.send(there, 20);
        packets.send(ethernet().ipv4(SERVER, own.getHostAddress(), TCP).tcp(443, 41013, ACK).bytes(), 20);
        packets.passes(Verdict.PASSED_NO_FLOW, there);
        assertThat(count(CutoffOutcome.NEVER_CUT)).isGreaterThan(never);
    }

    @Test
    void whereBothItsBucketsAreFullAFlowIsNotCutOffAndThatIsCounted() {
        long full = count(CutoffOutcome.TABLE_FULL);
        Memory.of("index", index -> {
            List<Integer> filled = new ArrayList<>();
            for (int at = 0; at < index.size(); at += Long.BYTES) {
                // No key has an even tag.
                if (at % BUCKET_BYTES != BUCKET_ELSEWHERE && index.compareAndSetLong(at, 0, 2L << Integer.SIZE)) {
                    filled.add(at);
                }
            }
            try {
                packets.send(there(41014), 20);
                packets.send(back(41014), 20);
                packets.passes(Verdict.PASSED_NO_FLOW, there(41014));
            } finally {
                filled.forEach(at -> index.setLongRelease(at, 0));
            }
        });
        assertThat(count(CutoffOutcome.TABLE_FULL)).isGreaterThan(full);
        packets.send(there(41014), 1);
        packets.cuts(there(41014));
    }

    /** As when user space is about to bypass the same flow: its slot is written and published, and not LIVE yet. */
    @Test
    void aChangedNeverCutListIsKeptToWhateverIsBypassedAndCutOffMeanwhile() throws Exception {
        dataPlane.setCutoffPackets(2);
        AtomicInteger port = new AtomicInteger();
        try (Crowd crowd = new Crowd()) {
            crowd.add(() -> tryToBypass(key(1024 + port.incrementAndGet() % 200)));
            crowd.add(() -> {
                int cutOff = 2024 + port.incrementAndGet() % 200;
                for (byte[] frame : List.of(there(cutOff), back(cutOff), there(cutOff))) {
                    packets.send(frame, 1);
                }
            });
            for (int round = 0; round < 5; round++) {
                Jmx.eventually(() -> origins().equals(Set.of(Origin.OTHER, Origin.AUTOMATIC)), "both ways, flows are bypassed");
                neverCut(SERVER + " tcp/443");
                Jmx.eventually(() -> !tryToBypass(key(5000)), "the list is in force");
                long inForce = System.nanoTime();
                // Housekeeping begins with a heartbeat: by the next one, what put the list into force is done.
                Jmx.eventually(() -> dataPlane.leaseAgeMillis() < (System.nanoTime() - inForce) / 1_000_000,
                        "housekeeping has begun again");
                for (int look = 0; look < 20; look++) {
                    assertThat(table.list(0, 1000)).as("flows that the list names").isEmpty();
                }
                crowd.check();
                neverCut("");
            }
        }
        Jmx.eventually(() -> table.statistics().closingFlows() == 0, "the last records are made");
        assertThat(table.statistics().unaccountedPackets()).isZero();
    }

    /** Whether the flow is bypassed now. */
    private boolean tryToBypass(FlowKey key) {
        try {
            table.bypass(BypassRequest.of(key).withOrigin(Origin.OTHER));
            return true;
        } catch (IllegalArgumentException neverCutNow) {
            return false;
        }
    }

    private Set<Origin> origins() {
        return table.list(0, 1000).stream().map(FlowState::origin).collect(Collectors.toSet());
    }

    @Test
    void whereAnotherOneIsAboutToBypassTheFlowXdpWithdraws() {
        table.bypass(BypassRequest.of(key(41015)));
        long contended = count(CutoffOutcome.CONTENDED);
        long lent = lent();
        int slot = 128 * slotOf(41015);
        Memory.of("records", records -> {
            int live = records.getInt(slot + RECORD_MATCH);
            for (int record = slot; record < slot + 128; record += 64) {
                records.setIntVolatile(record + RECORD_MATCH, live ^ (LIVE ^ CLAIMED) << 16);
            }
            packets.send(there(41015), 20);
            packets.send(back(41015), 20);
            packets.passes(Verdict.PASSED_NO_FLOW, there(41015));
            for (int record = slot; record < slot + 128; record += 64) {
                records.setIntVolatile(record + RECORD_MATCH, live);
            }
        });
        assertThat(count(CutoffOutcome.CONTENDED)).isGreaterThan(contended);
        assertThat(lent()).as("slots in the reserve").isEqualTo(lent);
        packets.cuts(there(41015));
        assertThat(table.list(0, 10)).as("flows").hasSize(1);
        assertThat(found(key(41015)).packets()).isEqualTo(1);
    }

    /** By its port, in network byte order, in the lower or the higher half of the record's word. */
    private static int slotOf(int port) {
        int[] slot = {-1};
        Memory.of("records", records -> {
            for (int i = 0; i < records.size() / 128; i++) {
                int ports = records.getInt(128 * i + RECORD_PORTS);
                int wanted = Short.toUnsignedInt(Short.reverseBytes((short) port));
                if ((records.getInt(128 * i + RECORD_MATCH) >>> 16 & 0xff) == LIVE
                        && ((ports & 0xffff) == wanted || ports >>> 16 == wanted)) {
                    slot[0] = i;
                }
            }
        });
        return slot[0];
    }

    private static long lent() {
        try (BpfMap reserve = Services.waitFor(MapService.class).open(Path.of(Product.PIN_ROOT, "reserve"))) {
            ElementQueue<Integer> queue = reserve.queue(Codec.INT);
            List<Integer> slots = new ArrayList<>();
            for (Optional<Integer> slot = queue.pop(); slot.isPresent(); slot = queue.pop()) {
                slots.add(slot.get());
            }
            slots.forEach(queue::push);
            return slots.size();
        }
    }

    private boolean refusedByList(FlowKey key) {
        try {
            table.bypass(BypassRequest.of(key));
            table.release(key);
            return false;
        } catch (IllegalArgumentException refused) {
            assertThat(refused).hasMessageContaining("never-cut list");
            return true;
        }
    }

    @Test
    void aDryReserveIsCountedAndTheFlowIsCutOffWhenThereAreSlotsAgain() {
        List<Integer> taken = new ArrayList<>();
        long dry = count(CutoffOutcome.RESERVE_DRY);
        try (BpfMap reserve = Services.waitFor(MapService.class).open(Path.of(Product.PIN_ROOT, "reserve"))) {
            ElementQueue<Integer> queue = reserve.queue(Codec.INT);
            // Waits for who fills it.
            table.list(0, 1);
            for (Optional<Integer> slot = queue.pop(); slot.isPresent(); slot = queue.pop()) {
                taken.add(slot.get());
            }
            try {
                packets.send(there(41009), 20);
                packets.passes(Verdict.PASSED_NO_FLOW, back(41009));
            } finally {
                taken.forEach(queue::push);
            }
        }
        assertThat(count(CutoffOutcome.RESERVE_DRY)).isGreaterThan(dry);
        assertThat(taken).as("lent slots").isNotEmpty();
        packets.passes(Verdict.PASSED_NO_FLOW, there(41009));
        packets.cuts(there(41009));
    }

    @Test
    void moreFlowsThanTheReserveHoldsAreCutOffOneAfterTheOther() {
        int flows = 300;
        for (int port = 2000; port < 2000 + flows; port++) {
            int each = port;
            Jmx.eventually(() -> {
                packets.send(there(each), 10);
                packets.send(back(each), 1);
                return table.find(key(each)).isPresent();
            }, "flow " + port + " is cut off");
        }
        Jmx.eventually(() -> table.statistics().activeFlows() == flows, "all are counted as active");
        assertThat(table.flush()).isEqualTo(flows);
        Jmx.eventually(() -> table.statistics().closingFlows() == 0, "all are harvested");
        assertThat(table.statistics().unaccountedPackets()).isZero();
    }

    @Test
    void aFlowThatGrowsIsNotForgottenInAFloodOfSmallOnes() {
        long full = count(CutoffOutcome.TRACKER_FULL);
        packets.send(back(41010), 1);
        packets.send(there(41010), 8);
        for (int i = 0; i < 20_000; i++) {
            packets.send(ethernet().ipv4("10." + (i >> 12) + "." + (i >> 4 & 255) + "." + (i & 15), SERVER, TCP)
                    .tcp(1024 + i, 443, ACK).bytes(), 1);
        }
        assertThat(count(CutoffOutcome.TRACKER_FULL)).as("flows that made room").isGreaterThan(full);
        packets.passes(Verdict.PASSED_NO_FLOW, there(41010));
        packets.cuts(there(41010));
    }

    @Test
    void allCpusTogetherCountOneFlowAndCutItOffOnce() throws Exception {
        int each = 3000;
        dataPlane.setCutoffPackets(2L * each);
        long done = count(CutoffOutcome.DONE);
        long added = table.statistics().flowsAdded();
        packets.send(back(41011), 1);
        CountDownLatch begin = new CountDownLatch(2);
        List<Thread> senders = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            Thread sender = new Thread(() -> {
                begin.countDown();
                try {
                    begin.await();
                } catch (InterruptedException ended) {
                    return;
                }
                for (int sent = 0; sent < each; sent += 100) {
                    packets.send(there(41011), 100);
                }
            });
            sender.start();
            senders.add(sender);
        }
        for (Thread sender : senders) {
            sender.join();
        }
        packets.cuts(there(41011));
        assertThat(count(CutoffOutcome.DONE)).isEqualTo(done + 1);
        Jmx.eventually(() -> table.statistics().flowsAdded() == added + 1, "one flow was added");
        FlowRecord record = table.release(key(41011)).get(10, TimeUnit.SECONDS).orElseThrow();
        assertThat(record.flow().packets()).as("cut of %s, one of which came back", 2 * each + 2).isBetween(1L, 3L);
        assertThat(record.reason()).isEqualTo(EndReason.RELEASED);
    }
}
