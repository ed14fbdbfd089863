// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Product;
import io.flowbypass.itests.lab.SweepsByHand;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import javax.management.MBeanFeatureInfo;
import javax.management.MBeanInfo;
import javax.management.MBeanOperationInfo;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.FrameworkUtil;

/** An operator at JConsole: what is set there holds in the next sweep, and in the file. */
class TuningTest {
    private static final String IDLE = "Policy,name=idle";

    private Product product;
    private SweepsByHand sweeps;

    @BeforeEach
    void build() {
        product = new Product();
        sweeps = new SweepsByHand();
    }

    @AfterEach
    void takeDown() {
        if (product == null) {
            return;
        }
        sweeps.close();
        Jmx.setAttribute(IDLE, "UdpSeconds", 60);
        product.close();
    }

    @Test
    void aTimeoutHoldsInTheNextSweepAndInTheFileWithItsComments() throws Exception {
        Jmx.invoke("FlowTable", "bypass", "UDP", "198.51.100.1", 1, "198.51.100.2", 2);
        long begin = System.nanoTime();
        Jmx.eventually(() -> System.nanoTime() - begin > 1_100_000_000L, "the flow is idle for more than a second");
        assertThat(sweeps.sweep()).as("a minute's timeout").isEqualTo(0);
        Jmx.setAttribute(IDLE, "UdpSeconds", 1);
        assertThat(sweeps.sweep()).as("a second's timeout").isEqualTo(1);
        Jmx.eventually(() -> file().contains("udp.seconds = 1\n"), "the file has it");
        assertThat(file()).contains("# Seconds without a packet in either direction after which a UDP flow ends");
    }

    @Test
    void aHandEditOfTheFileShowsUpAndABadOneKeepsTheLastGoodValue() throws Exception {
        edit("udp.seconds", "7");
        Jmx.eventually(() -> Jmx.attribute(IDLE, "UdpSeconds").equals(7), "a hand edit holds");
        edit("udp.seconds", "soon");
        Jmx.eventually(() -> !((String) Jmx.attribute(IDLE, "ConfigurationProblem")).isEmpty(), "the problem is said");
        assertThat((String) Jmx.attribute(IDLE, "ConfigurationProblem")).contains("udp.seconds").contains("soon");
        assertThat(Jmx.attribute(IDLE, "UdpSeconds")).isEqualTo(7);
        edit("udp.seconds", "8");
        Jmx.eventually(() -> Jmx.attribute(IDLE, "UdpSeconds").equals(8), "a good value holds again");
        assertThat((String) Jmx.attribute(IDLE, "ConfigurationProblem")).isEmpty();
    }

    /** Copied from one window of JConsole into another. */
    @Test
    void aFlowThatListShowsCanBeFoundAndReleasedByItsFirstLine() {
        Jmx.invoke("FlowTable", "bypass", "UDP", "2001:db8::1", 1, "2001:db8::2", 2);
        String shown = ((String[]) Jmx.invoke("FlowTable", "list", 0, 0))[0].lines().findFirst().orElseThrow();

        assertThat((String) Jmx.invoke("FlowTable", "find", shown)).startsWith(shown);
        assertThat((String) Jmx.invoke("FlowTable", "bypass", shown)).isEqualTo("already bypassed: " + shown);
        assertThat((String) Jmx.invoke("FlowTable", "release", shown)).startsWith("ended RELEASED").contains(shown);
    }

    @Test
    void whatIsActiveIsSaidInTheWordsThatSelectPoliciesTakes() {
        String active = (String) Jmx.attribute("Expiry", "ActivePolicies");
        try {
            assertThat(active).contains("idle");
            assertThat(Jmx.invoke("Expiry", "selectPolicies", active)).isEqualTo("active from the next sweep on: " + active);
            assertThat(Jmx.attribute("Expiry", "ActivePolicies")).isEqualTo(active);
        } finally {
            Jmx.invoke("Expiry", "selectPolicies", "");
        }
    }

    @Test
    void everyAttributeOperationAndParameterHasANameAndADescription() throws Exception {
        MBeanServer server = ManagementFactory.getPlatformMBeanServer();
        Set<ObjectName> names = server.queryNames(new ObjectName("io.flowbypass:*"), null);
        assertThat(names).hasSizeGreaterThanOrEqualTo(4);
        for (ObjectName name : names) {
            MBeanInfo info = server.getMBeanInfo(name);
            assertThat(info.getDescription()).as(name.toString()).isNotBlank();
            described(name, List.of(info.getAttributes()));
            described(name, List.of(info.getOperations()));
            described(name, List.of(info.getNotifications()));
            assertThat(info.getConstructors()).as(name + " has nothing to construct").isEmpty();
            for (MBeanOperationInfo operation : info.getOperations()) {
                assertThat(operation.getImpact()).as(name + " " + operation.getName())
                        .isNotEqualTo(MBeanOperationInfo.UNKNOWN);
                described(name, Arrays.asList(operation.getSignature()));
            }
        }
    }

    private static void described(ObjectName mbean, List<? extends MBeanFeatureInfo> features) {
        for (MBeanFeatureInfo feature : features) {
            assertThat(feature.getDescription()).as(mbean + " " + feature.getName()).isNotBlank()
                    .isNotEqualTo(feature.getName());
            assertThat(feature.getName()).as(mbean.toString()).doesNotMatch("p\\d+");
        }
    }

    private static Path path() {
        return Path.of(FrameworkUtil.getBundle(TuningTest.class).getBundleContext().getProperty("felix.fileinstall.dir"))
                .resolve("io.flowbypass.policy.idle.cfg");
    }

    private static String file() throws IOException {
        return Files.readString(path());
    }

    /** In one step, as editors do: a file that is written in place may be read while it is empty. */
    private static void edit(String key, String value) throws IOException {
        Path edited = path().resolveSibling("edited");
        Files.writeString(edited, file().replaceFirst("(?m)^" + key.replace(".", "\\.") + " = .*$", key + " = " + value));
        Files.move(edited, path(), StandardCopyOption.ATOMIC_MOVE);
    }
}
