// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HistogramTest {
    private final Histogram histogram = new Histogram();

    @Test
    void shouldFindThePercentilesOfWhatWasAddedToOnePartIn32() {
        for (int i = 1; i <= 100_000; i++) {
            histogram.add(i);
        }
        assertThat(histogram.percentile(50)).isBetween(50_000L, 51_563L);
        assertThat(histogram.percentile(99)).isBetween(99_000L, 100_000L);
        assertThat(histogram.percentile(100)).isEqualTo(100_000);
        assertThat(histogram.greatest()).isEqualTo(100_000);
    }

    @Test
    void shouldBeExactForWhatIsShort() {
        for (int i = 0; i < 64; i++) {
            histogram.add(i);
        }
        assertThat(histogram.percentile(50)).isEqualTo(31);
        assertThat(histogram.percentile(100.0 / 64)).isZero();
    }

    @Test
    void shouldTakeWhatIsLongAndWhatIsNegative() {
        histogram.add(Long.MAX_VALUE);
        histogram.add(-5);
        assertThat(histogram.percentile(50)).isZero();
        assertThat(histogram.percentile(100)).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void shouldAddAnotherOne() {
        Histogram other = new Histogram();
        other.add(1000);
        histogram.add(10);
        histogram.add(other);
        assertThat(histogram.percentile(50)).isEqualTo(10);
        assertThat(histogram.percentile(100)).isEqualTo(1000);
    }
}
