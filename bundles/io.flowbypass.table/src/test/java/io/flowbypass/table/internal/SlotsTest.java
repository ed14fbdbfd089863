// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SlotsTest {
    private final Slots slots = new Slots(3);

    @Test
    void shouldGiveOutTheLowestFreeSlot() {
        assertThat(slots.take()).isZero();
        assertThat(slots.take()).isEqualTo(1);
        slots.free(0);
        assertThat(slots.take()).isZero();
        assertThat(slots.take()).isEqualTo(2);
    }

    @Test
    void shouldSayThatNoneIsFreeUntilOneIs() {
        for (int i = 0; i < 3; i++) {
            slots.take();
        }
        assertThat(slots.take()).isEqualTo(-1);
        slots.free(1);
        assertThat(slots.take()).isEqualTo(1);
    }

    @Test
    void shouldKnowWhereTheLastTakenSlotIs() {
        slots.take(1);
        assertThat(slots.highWater()).isEqualTo(2);
        slots.free(1);
        assertThat(slots.highWater()).isZero();
    }

    @Test
    void shouldNotGiveOutASlotThatRecoveryTook() {
        slots.take(0);
        assertThat(slots.take()).isEqualTo(1);
        assertThat(slots.taken()).isEqualTo(2);
    }
}
