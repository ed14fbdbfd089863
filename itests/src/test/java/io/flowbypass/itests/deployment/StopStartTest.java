// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.Shell;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * What may be stopped, started and refreshed while traffic flows, row by row of ARCHITECTURE.md's table. In every row a
 * bypassed flow runs in both directions: not one of its packets reaches the monitor, and in the end each one is counted.
 */
class StopStartTest extends FlowLab {
    private static void idleAfterSeconds() {
        Jmx.setAttribute("Expiry", "SweepIntervalMillis", 100);
        Jmx.setAttribute("Policy,name=idle", "UdpSeconds", 3);
    }

    @Test
    void theActivePolicyTheNextOneTakesOverAndWithNoneNothingExpires() throws Exception {
        idleAfterSeconds();
        felix.install("spare", "io.flowbypass.flow,io.flowbypass.policy,org.osgi.framework", SparePolicy.class);
        Jmx.eventually(() -> active()
                .equals(List.of("tcp", "lifetime", "adaptive", "idle", "spare")), "all policies are active");
        Jmx.invoke("Expiry", "selectPolicies", "idle, spare");
        felix.stop("io.flowbypass.policy.idle");
        Jmx.eventually(() -> active().equals(List.of("spare")),
                "the next one takes over");
        bypass(5001);
        bypass(SparePolicy.ENDS_PORT);
        Jmx.eventually(() -> !isBypassed(SparePolicy.ENDS_PORT), "the next policy ends flows");

        felix.stop("spare");
        bypass(SparePolicy.ENDS_PORT);
        awaitSweeps(20);
        assertThat(isBypassed(5001)).as("without a policy nothing expires").isTrue();
        assertThat(isBypassed(SparePolicy.ENDS_PORT)).as("without a policy nothing expires").isTrue();

        felix.start("io.flowbypass.policy.idle");
        Jmx.eventually(() -> !isBypassed(5001), "the policy is back and its timeout holds");
        running.wasCutAndCounted();
    }

    @Test
    void expiryAndBypassReleaseAndRecordsGoOn() throws Exception {
        idleAfterSeconds();
        felix.stop("io.flowbypass.expiry");
        assertThat(Jmx.isThere("Expiry")).isFalse();
        bypass(5001);
        assertThat(String.valueOf(Jmx.invoke("FlowTable", "release", "UDP", Lab.A, 5001, Lab.B, 6000)))
                .contains("0 packets");
        bypass(5001);
        felix.start("io.flowbypass.expiry");
        Jmx.eventually(() -> !isBypassed(5001), "expiry goes on");
        running.wasCutAndCounted();
    }

    @Test
    void managementAndOnlyThatFaceGoes() throws Exception {
        idleAfterSeconds();
        bypass(5001);
        felix.stop("io.flowbypass.management");
        assertThat(Jmx.isThere("FlowTable")).isFalse();
        running.awaitMoreTraffic();
        felix.start("io.flowbypass.management");
        Jmx.awaitAll();
        Jmx.eventually(() -> !isBypassed(5001), "expiry went on meanwhile");
        running.wasCutAndCounted();
    }

    @Test
    void theTableWhichIsAdoptedWhenItComesBack() throws Exception {
        idleAfterSeconds();
        bypass(5001);
        felix.stop("io.flowbypass.table");
        assertThat(Jmx.isThere("FlowTable")).isFalse();
        assertThat(Jmx.isThere("Expiry")).as("expiry waits").isTrue();
        running.awaitMoreTraffic();
        felix.start("io.flowbypass.table");
        Jmx.awaitAll();
        assertThat(isBypassed(5000)).as("adopted").isTrue();
        Jmx.eventually(() -> !isBypassed(5001), "adopted flows expire");
        running.wasCutAndCounted();
    }

    @Test
    void xdpWhoseLinksStayPinned() throws Exception {
        List<Object> before = programIds();
        felix.stop("io.flowbypass.xdp");
        assertThat(Jmx.isThere("FlowTable")).isFalse();
        assertThat(Jmx.isThere("Xdp")).isFalse();
        running.awaitMoreTraffic();
        felix.start("io.flowbypass.xdp");
        Jmx.awaitAll();
        Jmx.eventually(() -> programIds().equals(before), "the same program is adopted on both interfaces");
        running.wasCutAndCounted();
    }

    @Test
    void bpfWhoseChangedProgramReplacesTheOldOneOnItsLinks() throws Exception {
        felix.stop("io.flowbypass.bpf");
        felix.start("io.flowbypass.bpf");
        List<Object> before = programIds();
        felix.update("io.flowbypass.bpf", new ByteArrayInputStream(bundleWithAnotherProgram()));
        Jmx.awaitAll();
        Jmx.eventually(() -> programIds().size() == 2 && programIds().stream().noneMatch(before::contains),
                "another program runs on both interfaces");
        running.wasCutAndCounted();
    }

    @Test
    void mapsLibbpfAndApiRefreshedWhileASweepRuns() throws Exception {
        felix.install("slow", "io.flowbypass.flow,io.flowbypass.policy,org.osgi.framework", SlowPolicy.class);
        Jmx.setAttribute("Expiry", "SweepIntervalMillis", 10);
        for (int port = 10_000; port < 10_020; port++) {
            bypass(port);
        }
        for (String refreshed : List.of("io.flowbypass.maps", "io.flowbypass.libbpf", "io.flowbypass.api")) {
            System.setProperty(SlowPolicy.INSIDE, "no");
            Jmx.eventually(() -> System.getProperty(SlowPolicy.INSIDE).equals("yes"), "a sweep runs");
            felix.refresh(refreshed);
            Jmx.awaitAll();
            assertThat(isBypassed(5000)).as("adopted after a refresh of " + refreshed).isTrue();
            running.awaitMoreTraffic();
        }
        running.wasCutAndCounted();
    }

    @Test
    void configAdminFileInstallAndMetatypeAndTheValuesInForceStay() throws Exception {
        idleAfterSeconds();
        for (String stopped : List.of("org.apache.felix.metatype", "org.apache.felix.fileinstall",
                "org.apache.felix.configadmin")) {
            felix.stop(stopped);
            bypass(5001);
            Jmx.eventually(() -> !isBypassed(5001), "the idle timeout stays in force without " + stopped);
            running.awaitMoreTraffic();
            felix.start(stopped);
            running.awaitMoreTraffic();
        }
        Jmx.awaitAll();
        assertThat(programIds()).as("attachments").hasSize(2);
        assertThat(Jmx.attribute("Policy,name=idle", "UdpSeconds")).isEqualTo(3);
        running.wasCutAndCounted();
    }

    /** The bpf bundle, compiled from a source that follows one IPv6 extension header less. */
    private byte[] bundleWithAnotherProgram() throws IOException {
        Path source = directory.resolve("bpf");
        Path jar = directory.resolve("bpf.jar");
        Shell.run("cp -r ../bpf " + source + " && rm -rf " + source + "/target"
                + " && sed -i 's/define FB_IPV6_HEADERS 8/define FB_IPV6_HEADERS 7/' " + source + "/parse.h"
                + " && " + source + "/build.sh " + source + "/out"
                + " && cp " + Distribution.jar("io.flowbypass.bpf") + " " + jar
                + " && jar uf " + jar + " -C " + source + "/out flowbypass.bpf.o");
        return Files.readAllBytes(jar);
    }
}
