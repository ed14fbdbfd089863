// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.demo.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.flow.CutAction;
import io.flowbypass.flow.DirectionCounts;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowState;
import io.flowbypass.flow.Origin;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LaneTest {
    private static final long STEP = 100;

    private final List<String> acts = new ArrayList<>();
    private FlowKey bypassed;
    private final Lane lane = new Lane(new Lane.Stage() {
        @Override
        public void begin(Elephant elephant) {
            acts.add("begin " + elephant.clientPort());
        }

        @Override
        public void bypass(Elephant elephant, FlowKey key) {
            acts.add("bypass " + elephant.clientPort());
            bypassed = key;
        }

        @Override
        public void end(Elephant elephant) {
            acts.add("end " + elephant.clientPort());
        }
    }, 0, 0, true, "192.0.2.1", "192.0.2.2", 1000);

    private void step(long from, long to, long last) {
        for (long now = from; now < to; now += STEP) {
            lane.step(now, last);
        }
    }

    private static FlowRecord ended(FlowKey key) {
        DirectionCounts none = new DirectionCounts(0, 0, 0);
        return new FlowRecord("1-1-1",
                new FlowState(key, none, none, Instant.EPOCH, Instant.EPOCH, CutAction.DROP, Origin.OTHER, "demo", "",
                        ""),
                EndReason.IDLE, "");
    }

    @Test
    void shouldBeginTheNextElephantFromAnotherPortAfterTheRecordOfTheFirst() {
        step(0, 12_000, 25_000);
        assertThat(acts).containsExactly("begin 20000", "bypass 20000", "end 20000");
        assertThat(lane.ended(ended(bypassed))).isPresent();
        step(12_000, 30_000, 25_000);
        assertThat(acts).endsWith("begin 20001", "bypass 20001", "end 20001").hasSize(6);
    }

    @Test
    void shouldBypassEveryElephantOfTheShortestDemoAndEndItInTime() {
        step(0, 10_000, 5000);
        assertThat(acts).containsExactly("begin 20000", "bypass 20000", "end 20000");
    }

    @Test
    void shouldNotBypassAgainWhatWasReleasedByHand() {
        step(0, 3000, 25_000);
        lane.ended(ended(bypassed));
        step(3000, 7900, 25_000);
        assertThat(acts).containsExactly("begin 20000", "bypass 20000");
        step(7900, 10_000, 25_000);
        assertThat(acts).endsWith("end 20000", "begin 20001");
    }

    @Test
    void shouldNotKnowFlowsThatOthersBypassed() {
        step(0, 3000, 25_000);
        assertThat(lane.ended(ended(FlowKey.of(6, "192.0.2.1", 1, "192.0.2.2", 2)))).isEmpty();
    }
}
