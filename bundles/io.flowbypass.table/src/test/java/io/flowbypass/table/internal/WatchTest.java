// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.flow.CutAction;
import io.flowbypass.flow.DirectionCounts;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowState;
import io.flowbypass.flow.FlowTableListener;
import io.flowbypass.flow.Origin;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class WatchTest {
    private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    private final Watch watch = new Watch();
    private final Delivery delivery = new Delivery();

    @BeforeEach
    void listen() {
        watch.add(new FlowTableListener() {
            @Override
            public void full(String what) {
                throw new IllegalStateException("broken");
            }
        });
        watch.add(new FlowTableListener() {
            @Override
            public void full(String what) {
                heard.add("full: " + what);
            }

            @Override
            public void stuck(String what) {
                heard.add("stuck: " + what);
            }
        });
    }

    @AfterEach
    void close() {
        watch.close();
        delivery.close();
    }

    private void look(int taken, int closing, long refused) {
        watch.look(new NativeFlowTable.Room(taken, closing, 1000, refused), delivery);
    }

    private String next() throws InterruptedException {
        return heard.poll(10, TimeUnit.SECONDS);
    }

    /** Notices come in order: nothing came before this one. */
    private void nothingWasSaid() throws InterruptedException {
        look(0, 0, Long.MAX_VALUE);
        assertThat(next()).startsWith("full: ").contains(": 0 of 1000");
    }

    @Test
    void shouldSayOnceThatBypassesAreRefusedAndAgainAfterRelief() throws Exception {
        look(1000, 0, 0);
        look(1000, 0, 2);
        assertThat(next()).startsWith("full: bypasses are refused, 2 by now").contains("1000 of 1000 flows;");
        look(1000, 0, 5);
        look(850, 0, 5);
        look(1000, 0, 7);
        look(799, 0, 7);
        look(1000, 100, 8);
        assertThat(next()).contains("1 by now").contains("1000 of 1000 flows, 100 of which have ended");
    }

    @Test
    void shouldSayThatBypassesWereRefusedThoughThereIsRoomByNow() throws Exception {
        look(10, 0, 1);
        assertThat(next()).contains("10 of 1000 flows;");
    }

    @Test
    void shouldSayOnceThatBypassesAreRefusedAgainAndAgainThoughThereIsRoom() throws Exception {
        for (int look = 1; look < 5; look++) {
            look(10, 0, look);
        }
        assertThat(next()).contains("1 by now");
        look(10, 0, 4);
        nothingWasSaid();
    }

    @Test
    void shouldNameADurableListenerThatFillsTheTableOnceUntilItMoves() throws Exception {
        delivery.setDurable(Set.of("records"));
        deliver(2);
        for (int look = 0; look < 5; look++) {
            look(950, 900, 0);
        }
        assertThat(next()).startsWith("stuck: the durable listener records is not there, 2 wait for it")
                .contains("950 of 1000 flows, 900 of which");
        delivery.add("key", "records", records -> { });
        while (!delivery.stuck(1).isEmpty()) {
            Thread.onSpinWait();
        }
        look(950, 0, 0);
        delivery.remove("key");
        deliver(1);
        for (int look = 0; look < 5; look++) {
            look(950, 900, 0);
        }
        assertThat(next()).contains("1 wait for it");
        nothingWasSaid();
    }

    @Test
    void shouldSayNothingOfAStuckListenerWhileThereIsRoom() throws Exception {
        delivery.setDurable(Set.of("records"));
        deliver(1);
        for (int look = 0; look < 10; look++) {
            look(899, 1, 0);
        }
        nothingWasSaid();
    }

    private void deliver(int records) {
        DirectionCounts none = new DirectionCounts(0, 0, 0);
        FlowRecord record = new FlowRecord("1", new FlowState(FlowKey.of(6, "10.0.0.1", 1, "10.0.0.2", 2), none, none,
                Instant.EPOCH, Instant.EPOCH, CutAction.DROP, Origin.OTHER, "", "", ""), EndReason.IDLE, "");
        delivery.deliver(Collections.nCopies(records, record), () -> { });
    }
}
