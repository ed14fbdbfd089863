// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class FlowKeyTest {
    @Test
    void shouldGiveBackWhatItWasGiven() {
        FlowKey key = FlowKey.of(6, "2001:db8::1", 40000, "2001:db8:0:0:8000::2", 443).withVlans(7, 4095);
        assertThat(key.source().getHostAddress()).isEqualTo("2001:db8:0:0:0:0:0:1");
        assertThat(key.destination().getHostAddress()).isEqualTo("2001:db8:0:0:8000:0:0:2");
        assertThat(key.sourceHigh()).isEqualTo(0x20010db800000000L);
        assertThat(key.destinationLow()).isEqualTo(0x8000000000000002L);
        assertThat(key.sourcePort()).isEqualTo(40000);
        assertThat(key.destinationPort()).isEqualTo(443);
        assertThat(key.outerVlan()).isEqualTo(7);
        assertThat(key.innerVlan()).isEqualTo(4095);
        assertThat(key.isIpv6()).isTrue();
        assertThat(key).hasToString(
                "TCP [2001:db8:0:0:0:0:0:1]:40000 > [2001:db8:0:0:8000:0:0:2]:443 vlan 7 inner vlan 4095");
    }

    @Test
    void shouldKeepAnIpv4AddressAsAnUnsignedNumber() {
        FlowKey key = FlowKey.of(17, "255.0.0.1", 1, "10.0.0.2", 2);
        assertThat(key.sourceLow()).isEqualTo(0xff000001L);
        assertThat(key.sourceHigh()).isZero();
        assertThat(key.source().getHostAddress()).isEqualTo("255.0.0.1");
        assertThat(key).hasToString("UDP 255.0.0.1:1 > 10.0.0.2:2");
    }

    @Test
    void shouldEqualAKeyOfTheSameDirectionOnly() {
        FlowKey key = FlowKey.of(6, "10.0.0.1", 1, "10.0.0.2", 2);
        assertThat(key.reversed()).isNotEqualTo(key);
        assertThat(key.reversed().reversed()).isEqualTo(key).hasSameHashCodeAs(key);
        assertThat(key.withVlans(1, 0)).isNotEqualTo(key);
        assertThat(FlowKey.of(17, "10.0.0.1", 1, "10.0.0.2", 2)).isNotEqualTo(key);
    }

    @Test
    void shouldRefuseWhatIsNoAddressWithoutAskingANameServer() {
        for (String wrong : new String[] {"", "localhost", "10.0.0", "10.0.0.256", "10.0.0.1 ", "0x7f.1", "1", "::g",
                "2001:db8::1%eth0", "[::1]", ":::"}) {
            assertThatThrownBy(() -> FlowKey.of(6, wrong, 1, "10.0.0.2", 2)).as("\"" + wrong + "\"")
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("source \"" + wrong + "\"");
        }
    }

    @Test
    void shouldRefuseNumbersOutOfRangeAndNameTheRange() {
        assertThatThrownBy(() -> FlowKey.of(6, "10.0.0.1", 70000, "10.0.0.2", 2))
                .hasMessage("source port 70000 is out of range: 0 to 65535");
        assertThatThrownBy(() -> FlowKey.of(6, "10.0.0.1", 1, "10.0.0.2", -1))
                .hasMessage("destination port -1 is out of range: 0 to 65535");
        assertThatThrownBy(() -> FlowKey.of(256, "10.0.0.1", 1, "10.0.0.2", 2))
                .hasMessage("protocol 256 is out of range: 0 to 255");
        FlowKey key = FlowKey.of(6, "10.0.0.1", 1, "10.0.0.2", 2);
        assertThatThrownBy(() -> key.withVlans(4096, 0)).hasMessage("outer VLAN id 4096 is out of range: 0 to 4095");
    }

    @Test
    void shouldRefuseAddressesOfDifferentFamilies() {
        assertThatThrownBy(() -> FlowKey.of(6, "10.0.0.1", 1, "2001:db8::1", 2))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("different families");
    }

    @Test
    void shouldTakeAMappedAddressForTheIpv4AddressThatIsOnTheWire() {
        assertThat(FlowKey.of(6, "::ffff:10.0.0.1", 1, "10.0.0.2", 2))
                .isEqualTo(FlowKey.of(6, "10.0.0.1", 1, "10.0.0.2", 2));
    }
}
