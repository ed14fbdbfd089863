// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.xdp.ClassicDialect;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ClassicSettingTest {
    @Test
    void shouldReadToolsInterfacesAndEntries() {
        assertThat(ClassicSetting.list("libflowbypass 524288, suricata/eth1,zeek")).containsExactly(
                new ClassicSetting(ClassicDialect.LIBFLOWBYPASS, "", 524288),
                new ClassicSetting(ClassicDialect.SURICATA, "eth1", 32768),
                new ClassicSetting(ClassicDialect.ZEEK, "", 65535));
        assertThat(ClassicSetting.list(" ")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"snort", "suricata", "zeek/eth1", "suricata/eth1.7", "suricata/a/b", "zeek 0", "zeek 99999999",
        "zeek many", "suricata/sixteen-letters-"})
    void shouldRefuseWhatIsNoTool(String entry) {
        assertThatThrownBy(() -> ClassicSetting.list("libflowbypass, " + entry))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("\"" + entry + "\"");
    }

    @Test
    void shouldRefuseAToolThatIsNamedTwice() {
        assertThatThrownBy(() -> ClassicSetting.list("zeek, zeek 5")).hasMessageContaining("twice");
    }
}
