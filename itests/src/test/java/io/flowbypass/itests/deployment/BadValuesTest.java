// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.LogLines;
import java.lang.management.ManagementFactory;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.management.MBeanAttributeInfo;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;

/**
 * Values that nobody can mean, for each setting of each policy and of expiry: they are refused in a sentence that says
 * what is allowed, and nothing changes, neither what is in force nor a file.
 */
class BadValuesTest extends FlowLab {
    private static final List<String> POLICIES = List.of("idle", "tcp", "lifetime", "adaptive");
    private static final List<String> NEVER_GOOD = List.of("-1", "", "soon", "1e9", "NaN", "1.5", "99999999999999999999");
    private static final String EXPIRY = "io.flowbypass.expiry";
    private static final String INTERVAL = "SweepIntervalMillis";
    private static final int SILENT = 5001;

    /** Of a policy: attribute to what is allowed. */
    private static Map<String, Range> settings(String policy) throws Exception {
        Map<String, Range> settings = new TreeMap<>();
        for (MBeanAttributeInfo attribute : ManagementFactory.getPlatformMBeanServer()
                .getMBeanInfo(new ObjectName("io.flowbypass:type=Policy,name=" + policy)).getAttributes()) {
            if (attribute.isWritable()) {
                settings.put(attribute.getName(), new Range((BigDecimal) attribute.getDescriptor().getFieldValue("minValue"),
                        (BigDecimal) attribute.getDescriptor().getFieldValue("maxValue")));
            }
        }
        assertThat(settings).isNotEmpty();
        return settings;
    }

    private record Range(BigDecimal min, BigDecimal max) {
        String allowed() {
            return min + " to " + max;
        }

        List<Object> outside() {
            List<Object> values = new ArrayList<>(NEVER_GOOD);
            values.addAll(List.of(min.longValueExact() - 1, max.longValueExact() + 1, Integer.MIN_VALUE, Long.MAX_VALUE, 1e9,
                    Double.NaN));
            return values;
        }
    }

    private static String pid(String policy) {
        return "io.flowbypass.policy." + policy;
    }

    /** {@code TcpSeconds} is {@code tcp.seconds} there. */
    private static String key(String attribute) {
        return attribute.replaceAll("(?<=.)(?=\\p{Upper})", ".").toLowerCase();
    }

    /** All that is in force, and all files. */
    private Map<String, Object> state() throws Exception {
        Map<String, Object> state = new TreeMap<>();
        for (String policy : POLICIES) {
            for (String attribute : settings(policy).keySet()) {
                state.put(policy + " " + attribute, Jmx.attribute("Policy,name=" + policy, attribute));
            }
            state.put(policy, felix.configuration(pid(policy)));
        }
        state.put(INTERVAL, Jmx.attribute("Expiry", INTERVAL));
        state.put("active", active());
        state.put(EXPIRY, felix.configuration(EXPIRY));
        return state;
    }

    @Test
    void overJmx() throws Exception {
        Jmx.setAttribute("Expiry", INTERVAL, 50);
        bypass(SILENT);
        Map<String, Object> before = state();
        for (String policy : POLICIES) {
            for (Map.Entry<String, Range> setting : settings(policy).entrySet()) {
                for (Object value : setting.getValue().outside()) {
                    assertThatThrownBy(() -> Jmx.setAttribute("Policy,name=" + policy, setting.getKey(), value))
                            .hasStackTraceContaining(key(setting.getKey()) + " = " + value + " is ")
                            .hasStackTraceContaining("allowed is " + setting.getValue().allowed());
                }
                assertThatThrownBy(() -> Jmx.setAttribute("Policy,name=" + policy, setting.getKey(), null))
                        .hasStackTraceContaining("allowed is " + setting.getValue().allowed());
            }
        }
        for (Object interval : Arrays.asList(-1, 0, 9, 3_600_001, Integer.MAX_VALUE, Integer.MIN_VALUE)) {
            assertThatThrownBy(() -> Jmx.setAttribute("Expiry", INTERVAL, interval))
                    .hasStackTraceContaining("sweep.interval.millis = " + interval)
                    .hasStackTraceContaining("10 to 3600000 milliseconds");
        }
        for (Object interval : Arrays.asList("", "soon", 1e9, Double.NaN, null)) {
            assertThatThrownBy(() -> Jmx.setAttribute("Expiry", INTERVAL, interval)).isInstanceOf(RuntimeException.class);
        }
        for (String names : List.of("nosuch", "idle, nosuch", "-1", "NaN", "idle tcp")) {
            assertThatThrownBy(() -> Jmx.invoke("Expiry", "selectPolicies", names))
                    .hasMessageContaining("no policy is named").hasMessageContaining("idle");
        }
        assertThatThrownBy(() -> Jmx.invoke("Expiry", "selectPolicies", "idle, idle")).hasMessageContaining("twice");
        for (int limit : new int[] {-1, Integer.MAX_VALUE}) {
            assertThatThrownBy(() -> Jmx.invoke("Expiry", "compare", "idle", limit)).hasMessageContaining("1 to ");
        }
        assertThat(state()).isEqualTo(before);
        awaitSweeps(3);
        assertThat(isBypassed(SILENT)).as("the old timeouts hold").isTrue();
        Jmx.setAttribute("Policy,name=idle", "UdpSeconds", 1);
        Jmx.eventually(() -> !isBypassed(SILENT), "and can be changed");
        running.wasCutAndCounted();
    }

    @Test
    void inTheFiles() throws Exception {
        Jmx.setAttribute("Expiry", INTERVAL, 50);
        Jmx.setAttribute("Policy,name=idle", "UdpSeconds", 59);
        bypass(SILENT);
        Map<String, Object> before = state();
        try (LogLines log = new LogLines("io.flowbypass.expiry")) {
            for (String value : NEVER_GOOD) {
                int logged = log.lines().size();
                writeEverywhere(value);
                for (String policy : POLICIES) {
                    problemsAreSaid(policy, value);
                }
                Jmx.eventually(() -> log.lines().stream().skip(logged)
                        .anyMatch(line -> line.contains("sweep.interval.millis") && line.contains("10 to 3600000 milliseconds")), "expiry says it too: " + value);
                for (Map.Entry<String, Object> each : before.entrySet()) {
                    if (each.getKey().contains(" ")) {
                        String[] attribute = each.getKey().split(" ");
                        assertThat(Jmx.attribute("Policy,name=" + attribute[0], attribute[1])).isEqualTo(each.getValue());
                    }
                }
                assertThat(Jmx.attribute("Expiry", INTERVAL)).isEqualTo(50);
            }
        }
        awaitSweeps(3);
        assertThat(isBypassed(SILENT)).as("the old timeouts hold").isTrue();
        for (String policy : POLICIES) {
            felix.configure(pid(policy), before.get(policy).toString().replace("udp.seconds = 59", "udp.seconds = 1"));
            Jmx.eventually(() -> Jmx.attribute("Policy,name=" + policy, "ConfigurationProblem").equals(""),
                    "all is well again");
        }
        Jmx.eventually(() -> !isBypassed(SILENT), "what is good holds");
        running.wasCutAndCounted();
    }

    /** As the value of each setting, in the file of each policy and of expiry. */
    private void writeEverywhere(String value) throws Exception {
        for (String policy : POLICIES) {
            StringBuilder text = new StringBuilder("# All of them.\n");
            for (String attribute : settings(policy).keySet()) {
                text.append(key(attribute)).append(" = ").append(value).append('\n');
            }
            felix.configure(pid(policy), text.toString());
        }
        felix.configure(EXPIRY, "sweep.interval.millis = " + value + "\n");
    }

    private static void problemsAreSaid(String policy, String value) throws Exception {
        for (Map.Entry<String, Range> setting : settings(policy).entrySet()) {
            Jmx.eventually(() -> ((String) Jmx.attribute("Policy,name=" + policy, "ConfigurationProblem"))
                    .matches(".*\\b\\Q" + key(setting.getKey()) + " = " + value + "\\E is [a-z ]+: allowed is "
                            + setting.getValue().allowed() + "\\b.*"),
                    policy + " says what is wrong with " + setting.getKey());
        }
    }

    @Test
    void inTheFilesAtAStart() throws Exception {
        writeEverywhere("soon");
        felix.stop();
        running.awaitMoreTraffic();
        felix.start();
        for (String policy : POLICIES) {
            problemsAreSaid(policy, "soon");
        }
        assertThat(Jmx.attribute("Policy,name=idle", "UdpSeconds")).as("the default").isEqualTo(60);
        assertThat(Jmx.attribute("Expiry", INTERVAL)).as("the default").isEqualTo(1000);
        assertThat(active()).containsExactly("tcp", "lifetime", "adaptive", "idle");
        awaitSweeps(2);
        running.wasCutAndCounted();
    }

    @Test
    void marksThatAreEachAllowedAndDoNotGoTogether() throws Exception {
        Jmx.setAttribute("Policy,name=adaptive", "EndPercent", 50);
        assertThat(Jmx.attribute("Policy,name=adaptive", "EndPercent")).isEqualTo(50);
        felix.stop();
        running.awaitMoreTraffic();
        felix.start();
        assertThat(active()).containsExactly("tcp", "lifetime", "adaptive", "idle");
        running.wasCutAndCounted();
    }
}
