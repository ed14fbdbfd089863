// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class GeometryTest {
    @Test
    void shouldHaveABucketForThreeFlows() {
        assertThat(new Geometry(64).buckets()).isEqualTo(22);
        assertThat(new Geometry(66).buckets()).isEqualTo(22);
        assertThat(new Geometry(67).buckets()).isEqualTo(23);
        assertThat(new Geometry(262144).buckets()).isEqualTo(87382);
        assertThat(new Geometry(10485760).buckets()).isEqualTo(3495254);
    }

    @Test
    void shouldGiveEachFlowARecordPerDirection() {
        assertThat(new Geometry(1000).records()).isEqualTo(2000);
    }

    @Test
    void shouldRefuseACapacityThatMappingsCannotHold() {
        assertThatThrownBy(() -> new Geometry(63)).hasMessageContaining("64 to 10485760");
        assertThatThrownBy(() -> new Geometry(10485761)).isInstanceOf(IllegalArgumentException.class);
    }
}
