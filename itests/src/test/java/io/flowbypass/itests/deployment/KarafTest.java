// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.itests.lab.Capture;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.Sender;
import io.flowbypass.itests.lab.Shell;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.management.InstanceNotFoundException;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** In the Karaf that one downloads, by the commands of README, without a network and without a Maven repository. */
class KarafTest extends CommandLab {
    private static final String IDLE = "io.flowbypass.policy.idle";
    private static final String POLICY = "Policy,name=idle";
    private static final int PAYLOAD = 64;

    private Karaf karaf;
    private Lab lab;

    @BeforeEach
    void unpackKaraf() throws Exception {
        lab = new Lab();
        karaf = new Karaf(this, directory);
    }

    @AfterEach
    void endKaraf() throws Exception {
        try {
            if (karaf != null) {
                karaf.close();
            }
        } finally {
            if (lab != null) {
                lab.close();
            }
        }
    }

    /** The line that README says to type in Karaf's console and that begins so. */
    private static String shown(String begin) throws Exception {
        String page = Files.readString(Path.of("../README.md"));
        return page.substring(page.indexOf("### In Karaf")).lines().filter(line -> line.startsWith(begin)).findFirst()
                .orElseThrow();
    }

    private void awaitAll() throws IOException {
        try {
            Jmx.eventually(() -> {
                try (RemoteJmx viewer = karaf.connect("viewer")) {
                    find(viewer);
                    return viewer.isThere("Xdp") && viewer.isThere("Expiry") && viewer.isThere(POLICY);
                } catch (IOException | SecurityException | InstanceNotFoundException notYet) {
                    return false;
                }
            }, "all MBeans are there, and the roles for them");
        } catch (ConditionTimeoutException late) {
            throw new AssertionError(karaf.said(), late);
        }
    }

    private static void bypass(RemoteJmx jmx) throws Exception {
        jmx.invoke("FlowTable", "bypass", "UDP", Lab.A, 5000, Lab.B, 6000);
    }

    private static String find(RemoteJmx jmx) throws Exception {
        return jmx.invoke("FlowTable", "find", "UDP", Lab.A, 5000, Lab.B, 6000).toString();
    }

    @Test
    void theKarCutsTrafficAndEachRoleMayWhatItsNameSays() throws Exception {
        karaf.start();
        karaf.client(shown("kar:install ").replace("/path/to/", Karaf.KAR.getParent() + "/"));
        awaitAll();
        String shipped = karaf.configuration(IDLE);
        assertThat(karaf.listensOn()).isNotEmpty().allMatch(address -> address.contains("127.0.0.1"));
        try (RemoteJmx viewer = karaf.connect("viewer"); RemoteJmx manager = karaf.connect("manager");
                RemoteJmx admin = karaf.connect("admin")) {
            assertThatThrownBy(() -> manager.invoke("Xdp", "attach", lab.cableA(), "native"))
                    .isInstanceOf(SecurityException.class);
            admin.invoke("Xdp", "attach", lab.cableA(), "native");
            Sender a = lab.senderA();
            Capture behind = lab.capture(lab.cableA());
            a.send(5000, Lab.B, 6000, 100, PAYLOAD);
            Jmx.eventually(() -> behind.seen(5000, 6000) == 100, "what is not bypassed is seen");
            assertThatThrownBy(() -> bypass(viewer)).isInstanceOf(SecurityException.class);
            bypass(manager);
            a.send(5000, Lab.B, 6000, 300, PAYLOAD);
            a.send(5001, Lab.B, 6000, 50, PAYLOAD);
            Jmx.eventually(() -> behind.seen(5001, 6000) == 50, "what is not bypassed is seen");
            assertThat(behind.seen(5000, 6000)).as("seen since the bypass").isEqualTo(100);
            assertThat(viewer.attribute("FlowTable", "BypassedPackets")).isEqualTo(300L);
            assertThat(find(viewer)).contains("300 packets");
            assertThat((Object[]) viewer.invoke("FlowTable", "list", 0, 10)).hasSize(1);
            assertThat((Object[]) viewer.invoke("Expiry", "compare", "idle", 10)).isEmpty();
            viewer.invoke("Maps", "dump", "/sys/fs/bpf/flowbypass/config", 0, 1);
            assertThatThrownBy(() -> viewer.invoke("FlowTable", "flush")).isInstanceOf(SecurityException.class);
            assertThatThrownBy(() -> viewer.invoke("Expiry", "sweepNow")).isInstanceOf(SecurityException.class);
            assertThatThrownBy(() -> viewer.invoke("Expiry", "selectPolicies", "idle"))
                    .isInstanceOf(SecurityException.class);
            assertThatThrownBy(() -> viewer.setAttribute(POLICY, "UdpSeconds", 61)).isInstanceOf(SecurityException.class);
            assertThatThrownBy(() -> viewer.invoke("Xdp", "detach", lab.cableA())).isInstanceOf(SecurityException.class);
            manager.setAttribute(POLICY, "UdpSeconds", 61);
            manager.invoke("Expiry", "sweepNow");
            assertThatThrownBy(() -> manager.setAttribute(POLICY, "UdpSeconds", 0))
                    .hasMessageContaining("1 to 604800 seconds");
            assertThat(viewer.attribute(POLICY, "UdpSeconds")).isEqualTo(61);
            String expected = shipped.replace("udp.seconds = 60", "udp.seconds = 61");
            Jmx.eventually(() -> karaf.configuration(IDLE).strip().equals(expected.strip()), "Karaf writes it to the file");
            assertThat(viewer.attribute("Health,name=attached", "Status")).isEqualTo("OK");
            assertThat(karaf.client("flow:list")).contains(Lab.A + ":5000").contains("300");
            assertThat(karaf.client("flow:find udp " + Lab.A + " 5000 " + Lab.B + " 6000")).contains("300 packets");
            assertThat(karaf.client("xdp:status")).contains(lab.cableA());
            assertThat(karaf.client("policy:list")).contains("idle");
            Outcome asked = flowbypass("ctl", "find", "udp", Lab.A + ":5000", Lab.B + ":6000");
            assertThat(asked.status()).as(asked.toString()).isZero();
            assertThat(manager.invoke("FlowTable", "flush")).asString().contains("1 flow");
            Jmx.eventually(() -> karaf.records().contains("\"event\":\"end\""), "the record is written");
        }
        try (RemoteJmx attached = new RemoteJmx(Long.toString(karaf.pid()))) {
            assertThat(attached.attribute("FlowTable", "BypassedPackets")).as("by attaching to the process").isEqualTo(300L);
        }
    }

    @Test
    void whatWasSetAndCutHoldsThroughARestartUntilAllIsDetachedAndUninstalled() throws Exception {
        karaf.append("custom.properties", "felix.fileinstall.enableConfigSave = false");
        karaf.unpackKarIntoSystem();
        karaf.start();
        karaf.client(shown("feature:repo-add "), shown("feature:install "));
        awaitAll();
        String shipped = karaf.configuration(IDLE);
        Sender a = lab.senderA();
        Capture behind = lab.capture(lab.cableA());
        try (RemoteJmx admin = karaf.connect("admin")) {
            admin.invoke("Xdp", "attach", lab.cableA(), "native");
            bypass(admin);
            for (int seconds = 381; seconds <= 400; seconds++) {
                admin.setAttribute(POLICY, "TcpSeconds", seconds);
                admin.setAttribute(POLICY, "OtherSeconds", seconds);
            }
            String expected = shipped.replace("tcp.seconds = 300", "tcp.seconds = 400")
                    .replace("other.seconds = 30", "other.seconds = 400");
            Jmx.eventually(() -> karaf.configuration(IDLE).equals(expected), "all else is as it was");
            karaf.write(IDLE, expected.replace("udp.seconds = 60", "udp.seconds = 65"));
            Jmx.eventually(() -> admin.attribute(POLICY, "UdpSeconds").equals(65), "what is edited by hand is in force");
        }
        String before = karaf.configuration(IDLE);
        a.start(5000, Lab.B, 6000, PAYLOAD);
        karaf.stop();
        long sent = a.sent();
        Jmx.eventually(() -> a.sent() > sent + 200, "traffic goes on");
        karaf.start();
        awaitAll();
        a.send(5001, Lab.B, 6000, 50, PAYLOAD);
        Jmx.eventually(() -> behind.seen(5001, 6000) == 50, "what is not bypassed is seen");
        long all = a.stop();
        assertThat(behind.seen(5000, 6000)).as("seen of the cut flow").isZero();
        try (RemoteJmx admin = karaf.connect("admin")) {
            assertThat(admin.attribute(POLICY, "TcpSeconds")).isEqualTo(400);
            assertThat(admin.attribute(POLICY, "UdpSeconds")).isEqualTo(65);
            assertThat(karaf.configuration(IDLE)).isEqualTo(before);
            assertThat(find(admin)).contains(all + " packets");
            admin.invoke("Xdp", "detach", lab.cableA());
        }
        assertThat(Shell.run("ip -d link show dev " + lab.cableA())).doesNotContain("xdp");
        karaf.client(shown("feature:uninstall flowbypass"));
        assertThat(karaf.bundles()).contains("org.apache.karaf.").doesNotContain("flowbypass");
        assertThat(karaf.configuration(IDLE)).as("what was set stays for another time").isEqualTo(before);
        karaf.client(shown("feature:install "));
        awaitAll();
        try (RemoteJmx viewer = karaf.connect("viewer")) {
            assertThat(viewer.attribute(POLICY, "TcpSeconds")).isEqualTo(400);
        }
        karaf.client(shown("feature:uninstall --delete-configurations "));
        Outcome off = flowbypass("off");
        assertThat(off.status()).as(off.toString()).isZero();
        assertThat(inside("ls /sys/fs/bpf")).doesNotContain("flowbypass");
        assertThat(karaf.files()).noneMatch(name -> name.contains("flowbypass"));
    }
}
