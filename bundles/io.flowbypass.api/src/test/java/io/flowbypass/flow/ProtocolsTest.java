// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class ProtocolsTest {
    @Test
    void shouldReadNamesInAnyCaseAndNumbers() {
        assertThat(Protocols.parse("tcp")).isEqualTo(6);
        assertThat(Protocols.parse(" UDP ")).isEqualTo(17);
        assertThat(Protocols.parse("ICMPv6")).isEqualTo(58);
        assertThat(Protocols.parse("ipv6-icmp")).isEqualTo(58);
        assertThat(Protocols.parse("0")).isZero();
        assertThat(Protocols.parse("255")).isEqualTo(255);
    }

    @Test
    void shouldRefuseAnythingElse() {
        for (String wrong : new String[] {"", "256", "-1", "6.0", "TCPP"}) {
            assertThatThrownBy(() -> Protocols.parse(wrong)).as(wrong).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("TCP, UDP, UDPLite or a number from 0 to 255");
        }
    }

    @Test
    void shouldNameWhatHasANameAndNumberTheRest() {
        assertThat(Protocols.name(6)).isEqualTo("TCP");
        assertThat(Protocols.name(58)).isEqualTo("IPv6-ICMP");
        assertThat(Protocols.name(99)).isEqualTo("99");
    }
}
