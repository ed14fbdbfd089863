// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class GeometryTest {
    @Test
    void shouldGiveEachFlowTwoCellsInAPowerOfTwoOfBuckets() {
        assertThat(new Geometry(64).buckets()).isEqualTo(16);
        assertThat(new Geometry(65).buckets()).isEqualTo(32);
        assertThat(new Geometry(1000).buckets()).isEqualTo(256);
        assertThat(new Geometry(262144).buckets()).isEqualTo(65536);
        assertThat(new Geometry(262145).buckets()).isEqualTo(131072);
        assertThat(new Geometry(8388608).buckets()).isEqualTo(2097152);
    }

    @Test
    void shouldGiveEachFlowARecordPerDirection() {
        assertThat(new Geometry(1000).records()).isEqualTo(2000);
    }

    @Test
    void shouldRefuseACapacityThatMappingsCannotHold() {
        assertThatThrownBy(() -> new Geometry(63)).hasMessageContaining("64 to 8388608");
        assertThatThrownBy(() -> new Geometry(8388609)).isInstanceOf(IllegalArgumentException.class);
    }
}
