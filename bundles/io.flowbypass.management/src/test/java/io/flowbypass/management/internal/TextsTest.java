// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.Protocols;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TextsTest {
    private static final FlowKey LONGEST = FlowKey.of(Protocols.TCP, "2001:db8:1111:2222:3333:4444:5555:6666", 65535,
            "2001:db8:1111:2222:3333:4444:5555:7777", 65534);

    @Test
    void shouldReadAFlowAsItsKeyShowsIt() {
        for (FlowKey key : List.of(LONGEST, LONGEST.withVlans(4094, 0), LONGEST.withVlans(1, 4094),
                FlowKey.of(Protocols.UDP, "192.0.2.1", 1, "198.51.100.7", 53),
                FlowKey.of(47, "192.0.2.1", 0, "192.0.2.2", 0))) {
            assertThat(Texts.flow(key.toString())).isEqualTo(key);
            assertThat(Texts.flow(" " + key + "\n").sourcePort()).as("in its direction").isEqualTo(key.sourcePort());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"String", "", "TCP 192.0.2.1:1", "TCP 192.0.2.1:1 > 192.0.2.2:2 and more",
        "TCP 2001:db8::1:1 > 2001:db8::2:2", "XYZ 192.0.2.1:1 > 192.0.2.2:2",
        "TCP 192.0.2.1:1 > 192.0.2.2:99999", "TCP host:1 > 192.0.2.2:2"})
    void shouldRefuseWhatIsNoFlow(String text) {
        assertThatThrownBy(() -> Texts.flow(text)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining(" ");
    }
}
