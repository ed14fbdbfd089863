// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class BenchTest {
    private static final Scenario SWEEP = new Idle("sweep", false);
    private static final Scenario MAPS = new Idle("maps", false);
    private static final Scenario CHAOS = new Idle("chaos", true);
    private static final List<Scenario> ALL = List.of(SWEEP, CHAOS, MAPS);

    /** A scenario that measures nothing. */
    private record Idle(String name, boolean isOnlyNamed) implements Scenario {
        @Override
        public void run(Run run) {
            // There is nothing to measure.
        }
    }

    @Test
    void shouldChooseAllByTheirNamesWhenNoneIsNamedButThoseThatHaveToBe() {
        assertThat(Bench.choose("", ALL)).containsExactly(MAPS, SWEEP);
    }

    @Test
    void shouldChooseThoseThatAreNamedOnceAndInThatOrder() {
        assertThat(Bench.choose("sweep chaos maps sweep", ALL)).containsExactly(SWEEP, CHAOS, MAPS);
    }

    @Test
    void shouldListTheNamesWhenOneIsUnknown() {
        assertThatThrownBy(() -> Bench.choose("maps nosuch", ALL))
                .hasMessage("there is no scenario \"nosuch\"; there are: chaos, maps, sweep.");
    }
}
