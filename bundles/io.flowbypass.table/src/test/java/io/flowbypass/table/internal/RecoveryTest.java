// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.Origin;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Section by section, what a restart finds after a crash at each step of a flow's life. */
class RecoveryTest {
    private static final FlowKey KEY = FlowKey.of(17, "10.0.0.1", 1000, "10.0.0.2", 2000);

    private final FakeKernel kernel = new FakeKernel(64);
    private final NativeTable table = kernel.table();
    private final TableKey key = new TableKey();

    private void write() {
        int forward = key.set(KEY);
        table.write(0, key, forward, BypassRequest.of(KEY).withAsker("me").withOrigin(Origin.ZEEK), System.nanoTime());
        table.setState(0, Layout.LIVE);
    }

    private void cut(int packets) {
        for (int i = 0; i < packets; i++) {
            kernel.count(0, 0, 100, 0);
        }
    }

    @Test
    void shouldAdoptAFlowWhoseCellWasPublished() {
        write();
        table.publish(0, key);
        cut(3);
        NativeFlowTable flows = kernel.start();
        assertThat(flows.activeFlows()).isEqualTo(1);
        assertThat(flows.activeFlows(Origin.ZEEK)).isEqualTo(1);
        assertThat(flows.find(KEY).orElseThrow().packets()).isEqualTo(3);
        assertThat(flows.bypass(BypassRequest.of(KEY))).as("not taken twice").isFalse();
    }

    @Test
    void shouldForgetAFlowOfWhichOnlyTheColdPartWasWritten() {
        write();
        table.setState(0, Layout.FREE);
        NativeFlowTable flows = kernel.start();
        assertThat(flows.activeFlows()).isZero();
        assertThat(flows.statistics().closingFlows()).isZero();
        assertThat(flows.bypass(BypassRequest.of(KEY))).isTrue();
    }

    @Test
    void shouldForgetAFlowThatWasNeverPublished() {
        write();
        NativeFlowTable flows = kernel.start();
        assertThat(flows.activeFlows()).isZero();
        assertThat(flows.statistics().closingFlows()).isZero();
        assertThat(table.state(0)).isEqualTo(Layout.FREE);
    }

    @Test
    void shouldForgetAFlowThatWasOnlyClaimed() {
        write();
        table.publish(0, key);
        table.setState(0, Layout.CLAIMED);
        NativeFlowTable flows = kernel.start();
        assertThat(table.state(0)).isEqualTo(Layout.FREE);
        assertThat(flows.activeFlows()).isZero();
        for (int cell = 0; cell < table.cells(); cell++) {
            assertThat(table.cellAt(cell)).isZero();
        }
    }

    /** What was cut between the two stores that make it LIVE is in a record, and so is what is about to be. */
    @Test
    void shouldRecordAFlowThatWasLiveInOneDirectionOnly() {
        write();
        table.publish(0, key);
        table.setState(0, Layout.CLAIMED);
        int second = Layout.record(0, 1) + Layout.RECORD_MATCH;
        kernel.records.setInt(second, kernel.records.getInt(second) ^ (Layout.CLAIMED ^ Layout.LIVE) << Layout.STATE_SHIFT);
        kernel.count(0, 1, 100, 0);
        AtomicBoolean counted = new AtomicBoolean();
        kernel.grace = () -> {
            if (table.state(0) == Layout.CLOSING && counted.compareAndSet(false, true)) {
                kernel.count(0, 1, 100, 0);
            }
        };
        kernel.start();
        FlowRecord record = kernel.awaitEnded(1).get(0);
        assertThat(record.reason()).isEqualTo(EndReason.RECOVERED);
        assertThat(record.flow().packets()).isEqualTo(2);
    }

    @Test
    void shouldTakeBackWhatWasLentAndNotTaken() {
        kernel.start().tendReserve(true);
        assertThat(kernel.reserve.size()).isEqualTo(4);
        NativeFlowTable flows = kernel.start();
        assertThat(kernel.reserve.size()).isZero();
        flows.tendReserve(true);
        assertThat(kernel.reserve.size()).isEqualTo(4);
    }

    @Test
    void shouldAdoptAFlowThatWasCutOffByXdpWhileNobodyLooked() {
        kernel.start().tendReserve(true);
        kernel.cutOff(KEY);
        kernel.packet(KEY, 60, 0);
        NativeFlowTable flows = kernel.start();
        assertThat(flows.activeFlows()).isEqualTo(1);
        assertThat(flows.find(KEY).orElseThrow().packets()).isEqualTo(1);
    }

    @Test
    void shouldRecordAFlowWithoutACellThatCounted() {
        write();
        cut(2);
        kernel.start();
        FlowRecord record = kernel.awaitEnded(1).get(0);
        assertThat(record.reason()).isEqualTo(EndReason.RECOVERED);
        assertThat(record.flow().packets()).isEqualTo(2);
    }

    @Test
    void shouldResumeAnUnlinkAndKeepItsReason() {
        write();
        table.publish(0, key);
        cut(5);
        table.setEndReason(0, EndReason.IDLE);
        table.setState(0, Layout.CLOSING);
        NativeFlowTable flows = kernel.start();
        FlowRecord record = kernel.awaitEnded(1).get(0);
        assertThat(record.reason()).isEqualTo(EndReason.IDLE);
        assertThat(record.flow().packets()).isEqualTo(5);
        assertThat(record.flow().asker()).isEqualTo("me");
        for (int cell = 0; cell < table.cells(); cell++) {
            assertThat(table.cellAt(cell)).isZero();
        }
        assertThat(flows.find(KEY)).isEmpty();
    }

    @Test
    void shouldDeliverARecordAgainUnderTheSameIdWhenItsDeliveryIsNotKnownToBeDone() {
        write();
        table.publish(0, key);
        cut(5);
        table.setEndReason(0, EndReason.RELEASED);
        table.setState(0, Layout.CLOSING);
        table.unpublish(0);
        kernel.delivery.setDurable(java.util.Set.of("missing"));
        kernel.start();
        String id = kernel.awaitEnded(1).get(0).id();
        kernel.start();
        assertThat(kernel.awaitEnded(2).get(1).id()).isEqualTo(id);
    }

    @Test
    void shouldFinishAFlowWhoseRecordWasTakenWithoutCountingItTwice() {
        write();
        table.publish(0, key);
        cut(5);
        table.setState(0, Layout.CLOSING);
        table.unpublish(0);
        table.setState(0, Layout.HARVESTED);
        NativeFlowTable flows = kernel.start();
        assertThat(table.state(0)).isEqualTo(Layout.FREE);
        assertThat(flows.statistics().closingFlows()).isZero();
        assertThat(kernel.ended).isEmpty();
        flows.bypass(BypassRequest.of(KEY));
        assertThat(flows.find(KEY).orElseThrow().packets()).as("base moved up to the counter").isZero();
        assertThat(flows.statistics().unaccountedPackets()).isZero();
    }

    @Test
    void shouldEmptyACellThatNamesAFreeSlot() {
        write();
        table.publish(0, key);
        table.free(0);
        kernel.start();
        assertThat(kernel.packet(KEY, 60, 0)).isFalse();
        for (int cell = 0; cell < table.cells(); cell++) {
            assertThat(table.cellAt(cell)).isZero();
        }
    }
}
