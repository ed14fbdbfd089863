// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.itests.lab.Capture;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.Sender;
import io.flowbypass.itests.lab.Shell;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.management.openmbean.CompositeData;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What may be stopped, started and refreshed while traffic flows, row by row of ARCHITECTURE.md's table. In every row a
 * bypassed flow runs in both directions: not one of its packets reaches the monitor, and in the end each one is counted.
 */
class StopStartTest {
    private static final int PAYLOAD = 64;

    @TempDir
    Path directory;
    private Distribution felix;
    private Lab lab;
    private Sender a;
    private Sender b;
    private Capture behindA;
    private Capture behindB;

    @BeforeEach
    void cutAFlowThatKeepsRunning() throws Exception {
        lab = new Lab();
        felix = new Distribution(directory).start();
        Jmx.invoke("Xdp", "attach", lab.cableA(), "native");
        Jmx.invoke("Xdp", "attach", lab.cableB(), "native");
        a = lab.senderA();
        b = lab.senderB();
        behindA = lab.capture(lab.cableA());
        behindB = lab.capture(lab.cableB());
        Jmx.invoke("FlowTable", "bypass", "UDP", Lab.A, 5000, Lab.B, 6000);
        a.start(5000, Lab.B, 6000, PAYLOAD);
        b.start(6000, Lab.A, 5000, PAYLOAD);
        awaitMoreTraffic();
    }

    @AfterEach
    void takeDown() throws Exception {
        if (lab == null) {
            return;
        }
        try {
            felix.close();
        } finally {
            lab.close();
        }
    }

    /** The end of every row: nothing passed, everything is counted, the ledger closes. */
    private void everyPacketWasCutAndCounted() {
        awaitMoreTraffic();
        long forward = a.stop();
        long reverse = b.stop();
        // The captures still work, and have read everything that came before these.
        a.send(5999, Lab.B, 6000, 50, PAYLOAD);
        b.send(5999, Lab.A, 5000, 50, PAYLOAD);
        Jmx.eventually(() -> behindA.seen(5999, 6000) == 50 && behindB.seen(5999, 5000) == 50,
                "flows that are not bypassed are seen");
        assertThat(behindA.seen(5000, 6000)).as("packets of the cut flow that were seen").isZero();
        assertThat(behindB.seen(6000, 5000)).as("packets of the cut flow that were seen").isZero();
        String record = String.valueOf(Jmx.invoke("FlowTable", "release", "UDP", Lab.A, 5000, Lab.B, 6000));
        assertThat(record).contains("forward " + forward + " packets ").contains("reverse " + reverse + " packets ");
        assertThat(Jmx.attribute("FlowTable", "UnaccountedPackets")).isEqualTo(0L);
    }

    private void awaitMoreTraffic() {
        long before = a.sent();
        Jmx.eventually(() -> a.sent() > before + 200, "traffic goes on");
    }

    private static void idleAfterASecond() {
        Jmx.setAttribute("Expiry", "SweepIntervalMillis", 100);
        Jmx.setAttribute("Policy,name=idle", "UdpSeconds", 1);
    }

    private static boolean isBypassed(int port) {
        return !String.valueOf(Jmx.invoke("FlowTable", "find", "UDP", Lab.A, port, Lab.B, 6000)).contains("not bypassed");
    }

    private static void bypass(int port) {
        Jmx.invoke("FlowTable", "bypass", "UDP", Lab.A, port, Lab.B, 6000);
    }

    private static void awaitSweeps(int more) {
        long before = (Long) Jmx.attribute("Expiry", "Sweeps");
        Jmx.eventually(() -> (Long) Jmx.attribute("Expiry", "Sweeps") >= before + more, "sweeps go on");
    }

    @Test
    void theActivePolicyTheNextOneTakesOverAndWithNoneNothingExpires() throws Exception {
        idleAfterASecond();
        felix.install("spare", "io.flowbypass.flow,io.flowbypass.policy,org.osgi.framework", SparePolicy.class);
        Jmx.eventually(() -> Jmx.attribute("Expiry", "ActivePolicies")
                .equals("tcp, lifetime, adaptive, idle, spare"), "all policies are active");
        Jmx.invoke("Expiry", "selectPolicies", "idle, spare");
        felix.stop("io.flowbypass.policy.idle");
        Jmx.eventually(() -> Jmx.attribute("Expiry", "ActivePolicies").equals("spare"),
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
        everyPacketWasCutAndCounted();
    }

    @Test
    void expiryAndBypassReleaseAndRecordsGoOn() throws Exception {
        idleAfterASecond();
        felix.stop("io.flowbypass.expiry");
        assertThat(Jmx.isThere("Expiry")).isFalse();
        bypass(5001);
        assertThat(String.valueOf(Jmx.invoke("FlowTable", "release", "UDP", Lab.A, 5001, Lab.B, 6000)))
                .contains("0 packets");
        bypass(5001);
        felix.start("io.flowbypass.expiry");
        Jmx.eventually(() -> !isBypassed(5001), "expiry goes on");
        everyPacketWasCutAndCounted();
    }

    @Test
    void managementAndOnlyThatFaceGoes() throws Exception {
        idleAfterASecond();
        bypass(5001);
        felix.stop("io.flowbypass.management");
        assertThat(Jmx.isThere("FlowTable")).isFalse();
        awaitMoreTraffic();
        felix.start("io.flowbypass.management");
        Jmx.awaitAll();
        Jmx.eventually(() -> !isBypassed(5001), "expiry went on meanwhile");
        everyPacketWasCutAndCounted();
    }

    @Test
    void theTableWhichIsAdoptedWhenItComesBack() throws Exception {
        idleAfterASecond();
        bypass(5001);
        felix.stop("io.flowbypass.table");
        assertThat(Jmx.isThere("FlowTable")).isFalse();
        assertThat(Jmx.isThere("Expiry")).as("expiry waits").isTrue();
        awaitMoreTraffic();
        felix.start("io.flowbypass.table");
        Jmx.awaitAll();
        assertThat(isBypassed(5000)).as("adopted").isTrue();
        Jmx.eventually(() -> !isBypassed(5001), "adopted flows expire");
        everyPacketWasCutAndCounted();
    }

    @Test
    void xdpWhoseLinksStayPinned() throws Exception {
        List<Object> before = programIds();
        felix.stop("io.flowbypass.xdp");
        assertThat(Jmx.isThere("FlowTable")).isFalse();
        assertThat(Jmx.isThere("Xdp")).isFalse();
        awaitMoreTraffic();
        felix.start("io.flowbypass.xdp");
        Jmx.awaitAll();
        Jmx.eventually(() -> programIds().equals(before), "the same program is adopted on both interfaces");
        everyPacketWasCutAndCounted();
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
        everyPacketWasCutAndCounted();
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
            awaitMoreTraffic();
        }
        everyPacketWasCutAndCounted();
    }

    @Test
    void configAdminFileInstallAndMetatypeAndTheValuesInForceStay() throws Exception {
        idleAfterASecond();
        for (String stopped : List.of("org.apache.felix.metatype", "org.apache.felix.fileinstall",
                "org.apache.felix.configadmin")) {
            felix.stop(stopped);
            bypass(5001);
            Jmx.eventually(() -> !isBypassed(5001), "the idle timeout stays in force without " + stopped);
            awaitMoreTraffic();
            felix.start(stopped);
            awaitMoreTraffic();
        }
        Jmx.awaitAll();
        assertThat(programIds()).as("attachments").hasSize(2);
        assertThat(Jmx.attribute("Policy,name=idle", "UdpSeconds")).isEqualTo(1);
        everyPacketWasCutAndCounted();
    }

    /** Kernel ids of the programs on the attached interfaces. */
    private static List<Object> programIds() {
        return java.util.Arrays.stream((CompositeData[]) Jmx.attribute("Xdp", "Interfaces"))
                .filter(row -> (Boolean) row.get("attached")).map(row -> row.get("programId")).toList();
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
