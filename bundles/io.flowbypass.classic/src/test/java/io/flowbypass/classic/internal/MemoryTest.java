// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.classic.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.flow.FlowKey;
import org.junit.jupiter.api.Test;

class MemoryTest {
    private static final FlowKey FLOW = FlowKey.of(17, "10.0.0.1", 1, "10.0.0.2", 2);

    @Test
    void shouldTakeAFlowForActiveWhenItIsSeenFirst() {
        assertThat(new Memory().note(FLOW, 5, 1000, false)).isEqualTo(new Memory.Known(5, 1000, 1000, Long.MAX_VALUE));
    }

    @Test
    void shouldKnowSinceWhenNothingChanged() {
        Memory first = new Memory();
        first.note(FLOW, 5, 1000, false);
        Memory second = first.next(1000);
        assertThat(second.note(FLOW, 5, 2000, false).changed()).isEqualTo(1000);
        Memory third = second.next(2000);
        assertThat(third.note(FLOW, 6, 3000, false)).isEqualTo(new Memory.Known(6, 3000, 1000, 1000));
        assertThat(third.next(3000).note(FLOW, 6, 9000, false)).isEqualTo(new Memory.Known(6, 3000, 1000, 1000));
    }

    @Test
    void shouldNotTakeAFlowForIdleWhoseCountersStandStillBecauseAllIsPaused() {
        Memory first = new Memory();
        first.note(FLOW, 5, 1000, false);
        assertThat(first.next(1000).note(FLOW, 5, 2000, true).changed()).isEqualTo(2000);
    }

    @Test
    void shouldForgetWhatIsGone() {
        Memory first = new Memory();
        first.note(FLOW, 5, 1000, false);
        Memory third = first.next(1000).next(2000);
        assertThat(third.note(FLOW, 5, 3000, false).first()).isEqualTo(3000);
    }
}
