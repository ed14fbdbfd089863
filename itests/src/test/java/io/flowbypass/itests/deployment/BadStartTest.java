// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Root;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Values that cannot be taken at a start, where there is nothing that could stay in force. */
class BadStartTest {
    @TempDir
    Path directory;
    private Distribution felix;

    @BeforeEach
    void prepare() throws Exception {
        Root.required();
        felix = new Distribution(directory);
    }

    @AfterEach
    void takeDown() throws Exception {
        if (felix != null) {
            felix.close();
        }
    }

    private static Object bypass(String source, String options) {
        return Jmx.invoke("FlowTable", "bypassWith", "TCP", source, 40000, "198.51.100.2", 443, options);
    }

    @Test
    void withANeverCutListThatCannotBeReadNoFlowIsBypassedUntilItIsMended() throws Exception {
        felix.configure("io.flowbypass.table", "never.cut", "203.0.113.0/24, 10.0.0.0/33");
        felix.start();
        assertThatThrownBy(() -> bypass("198.51.100.1", "")).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("never.cut");
        felix.configure("io.flowbypass.table", "never.cut", "203.0.113.0/24, 10.0.0.0/8");
        Jmx.eventually(() -> isBypassed("198.51.100.1"), "a list that can be read is in force");
        assertThatThrownBy(() -> bypass("203.0.113.1", "")).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("203.0.113.0/24");
    }

    private static boolean isBypassed(String source) {
        try {
            bypass(source, "");
            return true;
        } catch (IllegalStateException notYet) {
            return false;
        }
    }

    @Test
    void aRedirectPortThatIsNotThereIsNotTheOneOfTheRunBefore() throws Exception {
        felix.configure("io.flowbypass.xdp", "redirect.ports", "0 = lo");
        felix.start();
        assertThat(bypass("198.51.100.1", "redirect=0")).asString().startsWith("bypassed");
        felix.stop();
        felix.configure("io.flowbypass.xdp", "redirect.ports", "0 = nosuchif0");
        felix.start();
        assertThatThrownBy(() -> bypass("198.51.100.3", "redirect=0")).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("redirect.ports");
    }

    @Test
    void aThresholdSetOverJmxOutlivesAChangeOfAnotherValueInTheFile() throws Exception {
        felix.start();
        Jmx.setAttribute("Xdp", "CutoffPackets", 77L);
        felix.configure("io.flowbypass.xdp", "redirect.ports", "0 = lo");
        Jmx.eventually(() -> isTaken("redirect=0"), "the port of the changed file is there");
        assertThat(Jmx.attribute("Xdp", "CutoffPackets")).isEqualTo(77L);
        felix.configure("io.flowbypass.xdp", "cutoff.packets", "88");
        Jmx.eventually(() -> Jmx.attribute("Xdp", "CutoffPackets").equals(88L), "the file's own change holds");
    }

    private static boolean isTaken(String options) {
        try {
            bypass("198.51.100.1", options);
            return true;
        } catch (IllegalArgumentException notYet) {
            return false;
        }
    }
}
