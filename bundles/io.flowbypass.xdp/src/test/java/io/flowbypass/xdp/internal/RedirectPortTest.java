// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RedirectPortTest {
    @Test
    void shouldReadInterfacesAndAddresses() {
        assertThat(RedirectPort.list("0 = eth2, 15=eth3.7/02:00:00:00:00:fF")).containsExactly(
                new RedirectPort(0, "eth2", 0), new RedirectPort(15, "eth3.7", 0xff0000000002L));
        assertThat(RedirectPort.list("")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"eth2", "16=eth2", "-1=eth2", "1=", "1=eth2/02:00:00:00:00", "1=eth2/02-00-00-00-00-01", "1=a b",
        "1=sixteen-letters-"})
    void shouldRefuseWhatIsNoPort(String entry) {
        assertThatThrownBy(() -> RedirectPort.list("0=eth1, " + entry)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("\"" + entry + "\"");
    }

    @Test
    void shouldRefuseAPortThatIsNamedTwice() {
        assertThatThrownBy(() -> RedirectPort.list("1=eth1,1=eth2")).hasMessageContaining("twice");
    }
}
