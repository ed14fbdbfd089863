// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ConfigurationGuardTest {
    private static final String PID = "the.pid";

    private final ConfigurationGuard guard = new ConfigurationGuard();

    @BeforeEach
    void guardTheSample() throws Exception {
        guard.add(PID, PID, MetatypeTest.read(PID).settings());
    }

    private Hashtable<String, Object> through(Map<String, Object> values) {
        Hashtable<String, Object> properties = new Hashtable<>(values);
        properties.put("service.pid", PID);
        guard.modifyConfiguration(null, properties);
        return properties;
    }

    @Test
    void letsValidValuesThroughUnchanged() {
        Map<String, Object> valid = Map.of("tcp.seconds", "10", "volume.bytes", 5L, "unknown", "x");

        assertThat(through(valid)).containsAllEntriesOf(valid);
        assertThat(guard.problem(PID)).isEmpty();
    }

    @Test
    void replacesABadValueByTheLastGoodOneAndSaysSo() {
        through(Map.of("tcp.seconds", "10"));

        assertThat(through(Map.of("tcp.seconds", "abc"))).containsEntry("tcp.seconds", "10");
        assertThat(guard.problem(PID)).isEqualTo(
                "tcp.seconds = abc is no integer: allowed is 1 to 604800 seconds; 10 stays in force");
    }

    @Test
    void replacesABadValueByTheDefaultWhereThereWasNoGoodOneAndLeavesItOutWithoutADefault() {
        Hashtable<String, Object> mended = through(Map.of("tcp.seconds", "0", "volume.bytes", "-1"));

        assertThat(mended).containsEntry("tcp.seconds", "300").doesNotContainKey("volume.bytes");
    }

    @Test
    void forgetsTheProblemOnceTheValueIsGood() {
        through(Map.of("tcp.seconds", "0"));
        through(Map.of("tcp.seconds", "1"));

        assertThat(guard.problem(PID)).isEmpty();
    }

    @Test
    void remembersTheLastGoodValueWhileThePolicyIsReplaced() throws Exception {
        through(Map.of("tcp.seconds", "10"));
        guardTheSample();

        assertThat(through(Map.of("tcp.seconds", "0"))).containsEntry("tcp.seconds", "10");
    }

    @Test
    void neverShowsAPassword() {
        guard.add("p", "p", List.of(new Setting("secret", Setting.Type.PASSWORD, false, "", null,
                BigDecimal.TEN, null, List.of())));
        Hashtable<String, Object> properties = new Hashtable<>(Map.of("service.pid", "p", "secret", "hunter2"));
        guard.modifyConfiguration(null, properties);

        assertThat(guard.problem("p")).contains("at least 10 characters").doesNotContain("hunter2");
    }

    @Test
    void leavesOtherConfigurationsAlone() {
        Hashtable<String, Object> other = new Hashtable<>(Map.of("service.pid", "another", "tcp.seconds", "abc"));
        guard.modifyConfiguration(null, other);

        assertThat(other).containsEntry("tcp.seconds", "abc");
        assertThat(guard.targets()).containsExactly(PID);
    }
}
