// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests;

import static io.flowbypass.itests.lab.Frame.ethernet;
import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.Decision;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowSweeper;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.flow.SweepResult;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.Lease;
import io.flowbypass.itests.lab.Packets;
import io.flowbypass.itests.lab.Product;
import io.flowbypass.itests.lab.Records;
import io.flowbypass.itests.lab.Services;
import io.flowbypass.itests.lab.SweepsByHand;
import io.flowbypass.xdp.DataPlane;
import io.flowbypass.xdp.Verdict;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A flow that has a packet after a policy decided to end it, and before it is taken out, stays, whatever packet that is. */
class WokenFlowTest {
    private static final int TCP = 6;
    private static final int ACK = 16;
    private static final int FIN_ACK = 17;
    private static final int PASSED_FINS = 16;
    /** Sweeps in a row, of which the coarse clock sees many in one tick: the packet is noticed though its time is known. */
    private static final int ROUNDS = 100;
    private static final SweepResult WOKEN = new SweepResult(1, 0, 1, true);

    private Lab lab;
    private Product product;
    private SweepsByHand sweeps;
    private FlowTable table;
    private Packets packets;
    private Records records;

    @BeforeEach
    void build() {
        lab = new Lab();
        product = new Product();
        // Test runs in a row cost a grace period each, unless the program runs on an interface anyway.
        product.attach(lab.cableA(), "native");
        sweeps = new SweepsByHand();
        table = Services.waitFor(FlowTable.class);
        packets = new Packets("program");
        Jmx.eventually(() -> table.statistics().closingFlows() == 0, "an earlier test's flows are gone");
        records = new Records();
    }

    @AfterEach
    void takeDown() {
        if (records == null) {
            return;
        }
        records.close();
        packets.close();
        sweeps.close();
        product.close();
        lab.close();
    }

    private static FlowKey key(int port) {
        return FlowKey.of(TCP, "198.51.100.1", port, "203.0.113.2", 443);
    }

    private static FlowKey key6(int port) {
        return FlowKey.of(TCP, "2001:db8::2", port, "2001:db8::1", 443);
    }

    private static byte[] frame(FlowKey from, int flags) {
        String source = from.source().getHostAddress();
        String destination = from.destination().getHostAddress();
        return (from.isIpv6() ? ethernet().ipv6(source, destination, TCP) : ethernet().ipv4(source, destination, TCP))
                .tcp(from.sourcePort(), from.destinationPort(), flags).bytes();
    }

    /** A sweep of a policy that ends every flow, during whose decision this comes. */
    private SweepResult sweep(Runnable meanwhile) {
        return ((FlowSweeper) table).sweep(flow -> {
            meanwhile.run();
            return Decision.end(EndReason.POLICY, "");
        }, Duration.ofSeconds(30));
    }

    /** In a sweep during which nothing comes. */
    private FlowRecord end() {
        assertThat(sweep(() -> { })).as("a sweep without a packet").isEqualTo(new SweepResult(1, 1, 0, true));
        Jmx.eventually(() -> records.ended().size() == 1, "the flow has a record");
        assertThat(table.statistics().unaccountedPackets()).isZero();
        return records.ended().get(0);
    }

    @Test
    void aFlowWithAPacketFromItsAskersSideStaysAndThePacketIsCounted() {
        aPacketWakes(key(5000), key(5000));
        assertThat(end().flow().forward().packets()).isEqualTo(2 * ROUNDS);
    }

    @Test
    void orFromTheOtherSide() {
        aPacketWakes(key(5000), key(5000).reversed());
        assertThat(end().flow().reverse().packets()).isEqualTo(2 * ROUNDS);
    }

    @Test
    void orOverIpv6() {
        aPacketWakes(key6(5000), key6(5000));
        assertThat(end().flow().forward().packets()).isEqualTo(2 * ROUNDS);
    }

    private void aPacketWakes(FlowKey flow, FlowKey from) {
        table.bypass(BypassRequest.of(flow));
        byte[] frame = frame(from, ACK);
        for (int round = 0; round < ROUNDS; round++) {
            assertThat(sweep(() -> packets.cuts(frame))).isEqualTo(WOKEN);
            packets.cuts(frame);
        }
        assertThat(table.list(0, 10)).hasSize(1);
    }

    /** It changes no counter, only what the record says of flags. */
    @Test
    void aFlowWithAFinOnItsWayToTheMonitorStaysToo() {
        table.bypass(BypassRequest.of(key(5000)).withPassControl(true));
        for (FlowKey from : new FlowKey[] {key(5000), key(5000).reversed()}) {
            long before = table.find(key(5000)).orElseThrow().packets();
            byte[] fin = frame(from, FIN_ACK);
            for (int round = 0; round < PASSED_FINS; round++) {
                assertThat(sweep(() -> packets.passes(Verdict.PASSED_TCP_CONTROL, fin))).isEqualTo(WOKEN);
            }
            assertThat(table.find(key(5000)).orElseThrow().packets()).isEqualTo(before);
            assertThat(sweep(() -> packets.cuts(fin))).isEqualTo(WOKEN);
        }
        assertThat(end().flow().packets()).as("FINs that were cut").isEqualTo(2);
    }

    /** It changes only the time of the last packet. */
    @Test
    void aFlowWithAPacketThatIsPassedForAPauseOrTheLeaseStaysToo() {
        table.bypass(BypassRequest.of(key(5000)));
        packets.cuts(frame(key(5000), ACK));
        packets.cuts(frame(key(5000).reversed(), ACK));
        DataPlane dataPlane = Services.waitFor(DataPlane.class);
        dataPlane.setPaused(true);
        try {
            for (FlowKey from : new FlowKey[] {key(5000), key(5000).reversed()}) {
                awaitNextTick();
                assertThat(sweep(() -> packets.passes(Verdict.PASSED_PAUSED, frame(from, ACK)))).isEqualTo(WOKEN);
            }
        } finally {
            dataPlane.setPaused(false);
        }
        Lease.over(() -> {
            awaitNextTick();
            assertThat(sweep(() -> packets.passes(Verdict.PASSED_LEASE, frame(key(5000), ACK)))).isEqualTo(WOKEN);
        });
        assertThat(end().flow().packets()).isEqualTo(2);
    }

    /** The coarse clock stands still for up to 10 ms. */
    private static void awaitNextTick() {
        long begin = System.nanoTime();
        Jmx.eventually(() -> System.nanoTime() - begin > 50_000_000, "the coarse clock has moved");
    }

    @Test
    void aFlowThatBeganAnewIsTakenOutByTheNextSweep() {
        table.bypass(BypassRequest.of(key(5000)));
        assertThat(sweep(() -> packets.passes(Verdict.PASSED_REOPENED, frame(key(5000), 2)))).isEqualTo(WOKEN);
        packets.passes(Verdict.PASSED_REOPENED, frame(key(5000), ACK));
        assertThat(end().reason()).isEqualTo(EndReason.REOPENED);
    }

    @Test
    void aPacketOfOneFlowKeepsNoOther() {
        table.bypass(BypassRequest.of(key(5000)));
        table.bypass(BypassRequest.of(key(5001)));
        assertThat(sweep(() -> packets.cuts(frame(key(5000), ACK)))).isEqualTo(new SweepResult(2, 1, 1, true));
        assertThat(table.list(0, 10)).singleElement().satisfies(left -> assertThat(left.key()).isEqualTo(key(5000)));
        Jmx.eventually(() -> records.ended().size() == 1, "the other one has its record");
        assertThat(records.ended().get(0).flow().key()).isEqualTo(key(5001));
        assertThat(table.find(key(5000)).orElseThrow().packets()).isEqualTo(2);
        assertThat(table.statistics().unaccountedPackets()).isZero();
    }
}
