// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BypassOptionsTest {
    private static final FlowKey KEY = FlowKey.of(6, "192.0.2.1", 1000, "192.0.2.2", 443);

    private static BypassRequest request(String options) {
        return BypassOptions.of(options).request(KEY);
    }

    @Test
    void shouldDropByDefaultAndPassControlPackets() {
        assertThat(request("").action()).isEqualTo(CutAction.DROP);
        assertThat(request("").hostPair()).isFalse();
        assertThat(request("").passControl()).isTrue();
        assertThat(request("").key()).isEqualTo(KEY);
    }

    @Test
    void shouldTakeEachOption() {
        assertThat(request("count").action()).isEqualTo(CutAction.COUNT);
        assertThat(request(" redirect=3 hostPair ").action()).isEqualTo(CutAction.REDIRECT);
        assertThat(request("redirect=3").redirectPort()).isEqualTo(3);
        assertThat(request("drop hostPair").hostPair()).isTrue();
        assertThat(request("passControl=false").passControl()).isFalse();
        assertThat(request("vlan=100").key()).isEqualTo(KEY.withVlans(100, 0));
        assertThat(request("vlan=100,200").key()).isEqualTo(KEY.withVlans(100, 200));
    }

    @ParameterizedTest
    @ValueSource(strings = {"redirect", "redirect=x", "redirect=16", "redirect=-1", "vlan=4096", "vlan=1,2,3", "vlan=", "hostpair",
        "passControl", "passControl=yes", "drop count", "count redirect=1", "vlan=1 vlan=2", "drop=1", "mac=02:00:00:00:00:01"})
    void shouldRefuseWhatIsNoOption(String options) {
        assertThatThrownBy(() -> request(options)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void shouldSayWhatIsMissing() {
        assertThatThrownBy(() -> request(null)).isInstanceOf(NullPointerException.class).hasMessage("options");
    }

    @Test
    void shouldTakeNothingButVlansToFindAFlow() {
        assertThat(BypassOptions.ofKey("vlan=7").key(KEY)).isEqualTo(KEY.withVlans(7, 0));
        assertThatThrownBy(() -> BypassOptions.ofKey("count")).hasMessageContaining("only vlan");
    }
}
