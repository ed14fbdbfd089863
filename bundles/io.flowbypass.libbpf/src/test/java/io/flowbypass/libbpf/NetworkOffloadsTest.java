// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.libbpf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class NetworkOffloadsTest {
    @Test
    void shouldKnowThatLoopbackNeitherMergesInHardwareNorStripsTags() {
        NetworkOffloads loopback = NetworkOffloads.of("lo");
        assertThat(loopback.lro()).isFalse();
        assertThat(loopback.rxVlan()).isFalse();
    }

    @Test
    void shouldNameAnInterfaceThatIsNotThere() {
        for (String name : new String[] {"fb-none", "fb-with-a-name-too-long"}) {
            assertThatThrownBy(() -> NetworkOffloads.of(name)).isInstanceOf(BpfException.class)
                    .hasMessageContaining("the offloads of " + name + " failed with ENODEV");
        }
    }
}
