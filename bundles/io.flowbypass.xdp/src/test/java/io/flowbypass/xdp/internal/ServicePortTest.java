// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ServicePortTest {
    @Test
    void shouldReadAList() {
        assertThat(ServicePort.list("tcp/443, UDP/443")).containsExactly(new ServicePort(6, 443), new ServicePort(17, 443));
        assertThat(ServicePort.list("")).isEmpty();
        assertThat(new ServicePort(6, 443).code()).isEqualTo(0x000601bb);
    }

    @ParameterizedTest
    @ValueSource(strings = {"tcp", "tcp/0", "tcp/70000", "tcp/-1", "icmp/1", "gre/1", "tcp/443/1", "443", "udp/4789", "udp/8472",
        "udp/6081", "udp/2152"})
    void shouldRefuseWhatMustNotOrCannotBeCutOff(String entry) {
        assertThatThrownBy(() -> ServicePort.list("tcp/443, " + entry)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("\"" + entry + "\"");
    }

    @Test
    void shouldRefuseMoreThanTheKernelHasRoomFor() {
        assertThatThrownBy(() -> ServicePort.list("tcp/1,tcp/2,tcp/3,tcp/4,tcp/5,tcp/6,tcp/7,tcp/8,tcp/9"))
                .hasMessageContaining("at most 8");
    }
}
