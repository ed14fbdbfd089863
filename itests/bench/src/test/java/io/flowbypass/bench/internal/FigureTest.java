// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class FigureTest {
    private static Figure figure(String unit, Double... repetitions) {
        return new Figure("walk", unit, List.of(repetitions));
    }

    @Test
    void shouldFindLeastMiddleAndGreatestInAnyOrder() {
        Figure figure = figure("ns", 5.0, 1.0, 30.0, 2.0, 4.0);
        assertThat(figure.min()).isEqualTo(1);
        assertThat(figure.median()).isEqualTo(4);
        assertThat(figure.max()).isEqualTo(30);
        assertThat(figure.repetitions()).as("as they were measured").containsExactly(5.0, 1.0, 30.0, 2.0, 4.0);
    }

    @Test
    void shouldTakeTheMeanOfTheTwoInTheMiddle() {
        assertThat(figure("ns", 8.0, 1.0, 2.0, 4.0).median()).isEqualTo(3);
    }

    @Test
    void shouldBeMeasuredAtLeastOnce() {
        assertThatThrownBy(() -> figure("ns")).hasMessage("walk was never measured");
    }

    @Test
    void shouldCompareByTheMediansSoThatOneOutlierDoesNotCount() {
        Ratio ratio = Ratio.of("walk", figure("ns", 3.0, 1000.0, 2.0), figure("ns", 1.0, 2.0, 3.0));
        assertThat(ratio.value()).isEqualTo(1.5);
    }

    @Test
    void shouldNotCompareDifferentUnits() {
        assertThatThrownBy(() -> Ratio.of("walk", figure("ns", 1.0), figure("ms", 1.0))).hasMessageContaining("ns with ms");
    }
}
