// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.Memory;
import io.flowbypass.itests.lab.OtherProgram;
import io.flowbypass.itests.lab.Product;
import io.flowbypass.itests.lab.Reaper;
import io.flowbypass.itests.lab.Services;
import io.flowbypass.itests.lab.Shell;
import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.Bpf.XdpMode;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.libbpf.Host;
import io.flowbypass.libbpf.NetworkOffloads;
import io.flowbypass.libbpf.XdpPrograms;
import io.flowbypass.xdp.Attachment;
import io.flowbypass.xdp.DataPlane;
import java.io.IOException;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/** Interfaces on which XDP would not see each packet as it was on the wire are refused in a sentence, and left alone. */
class InterfaceChecksTest {
    /** An interface that a test makes. */
    private static final String MADE = "fb" + ProcessHandle.current().pid() + "x";

    /** Offsets of {@code bpf/flowbypass.h}. */
    private static final int CONFIG_VLAN_MASK = 40;
    private static final int BOTH_VLANS = 0x0fff0fff;

    private Product product;
    private Lab lab;
    private Reaper reaper;

    @BeforeEach
    void build() {
        product = new Product();
        lab = new Lab();
        reaper = new Reaper("ip link del " + MADE);
    }

    @AfterEach
    void takeDown() {
        if (reaper != null) {
            product.close();
            reaper.close();
            lab.close();
        }
    }

    @Test
    void offloadsAreWhatEthtoolSays() {
        assertThat(NetworkOffloads.of(lab.cableA())).isEqualTo(new NetworkOffloads(false, false, false));
        Shell.run("ethtool -K " + lab.cableA() + " gro on");
        assertThat(NetworkOffloads.of(lab.cableA())).isEqualTo(new NetworkOffloads(false, true, false));
        Shell.run("ethtool -K " + lab.cableA() + " gro off rxvlan on");
        assertThat(NetworkOffloads.of(lab.cableA())).isEqualTo(new NetworkOffloads(false, false, true));
    }

    @Test
    void packetsThatTheKernelMergedAreNotForGenericMode() {
        Shell.run("ethtool -K " + lab.cableA() + " gro on");
        refuses(lab.cableA(), "generic", "GRO", "ethtool -K " + lab.cableA() + " gro off", "--fix-offloads");
        product.attach(lab.cableA(), "native");
        product.detach(lab.cableA());
        Shell.run("ethtool -K " + lab.cableA() + " gro off");
        product.attach(lab.cableA(), "generic");
    }

    @Test
    void automaticModeEndsInNoGenericModeThatMerges() {
        Shell.run("ip link add " + MADE + " up type bridge");
        refuses(MADE, "auto", "GRO", "ethtool -K " + MADE + " gro off");
        Shell.run("ethtool -K " + MADE + " gro off");
        product.attach(MADE, "auto");
        product.detach(MADE);
    }

    @Test
    void whatTakesTagsOffIsRefusedWhereVlansAreTrackedAndReportedWhereXdpRunsAlready() {
        Memory.of("config", config -> {
            int untracked = config.getInt(CONFIG_VLAN_MASK);
            try {
                product.attach(lab.cableB(), "native");
                Shell.run("ethtool -K " + lab.cableA() + " rxvlan on\nethtool -K " + lab.cableB() + " rxvlan on");
                config.setInt(CONFIG_VLAN_MASK, BOTH_VLANS);
                refuses(lab.cableA(), "native", "VLAN", "ethtool -K " + lab.cableA() + " rxvlan off", "--fix-offloads");
                settleAnew(lab.cableB());
                DataPlane dataPlane = Services.waitFor(DataPlane.class);
                Jmx.eventually(() -> dataPlane.attachments().get(0).problem().contains("rxvlan off"),
                        "what is wrong is reported");
                assertThat(dataPlane.attachments()).singleElement().matches(Attachment::attached, "XDP stays on");
            } finally {
                config.setInt(CONFIG_VLAN_MASK, untracked);
            }
        });
    }

    /** A change of its configuration lets the interface adopt its link again, as a start does. */
    private static void settleAnew(String cable) {
        try {
            Configuration configuration = Services.waitFor(ConfigurationAdmin.class)
                    .listConfigurations("(interface=" + cable + ")")[0];
            Dictionary<String, Object> properties = configuration.getProperties();
            properties.put("inline.anyway", true);
            configuration.update(properties);
        } catch (IOException | InvalidSyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void anotherProgramOnTheHookIsNamed() {
        try (OtherProgram other = new OtherProgram()) {
            for (XdpMode mode : XdpMode.values()) {
                try (Descriptor link = Bpf.attachXdp(other.program(), index(lab.cableA()), mode)) {
                    assertThatThrownBy(() -> Jmx.invoke("Xdp", "attach", lab.cableA(), "auto")).as("%s", mode)
                            .hasMessageContaining("Another XDP program, " + other.named() + ", is on " + lab.cableA());
                    assertThat(Bpf.describeLink(link.number()).interfaceIndex()).as("it stays").isNotZero();
                }
            }
        }
        product.attach(lab.cableA(), "auto");
    }

    @Test
    void anotherProgramIsReplacedOnlyWhenToldTo() throws IOException {
        String cable = lab.cableA();
        try (OtherProgram other = new OtherProgram()) {
            for (XdpMode mode : XdpMode.values()) {
                Bpf.attachXdpWithoutLink(other.program(), index(cable), mode);
                Configuration configuration = configure(cable, "native", false);
                problemOf(cable, "Another XDP program, " + other.named() + ", is on " + cable, "--replace-other");
                assertThat(runsOn(cable)).isEqualTo(other.id());
                configuration.update(settings(cable, "native", true));
                Jmx.eventually(() -> attachment(cable).filter(Attachment::attached).isPresent(), "it is replaced");
                assertThat(runsOn(cable)).isEqualTo(attachment(cable).orElseThrow().programId());
                Jmx.invoke("Xdp", "detach", cable);
                assertThat(runsOn(cable)).as("it does not come back").isZero();
            }
        }
    }

    @Test
    void anotherProgramThatALinkAttachesIsNotReplaced() throws IOException {
        String cable = lab.cableA();
        try (OtherProgram other = new OtherProgram();
                Descriptor link = Bpf.attachXdp(other.program(), index(cable), XdpMode.NATIVE)) {
            configure(cable, "native", true);
            problemOf(cable, "Another XDP program, " + other.named() + ", is on " + cable, "a BPF link attaches it");
            assertThat(Bpf.describeLink(link.number()).interfaceIndex()).isNotZero();
            Jmx.invoke("Xdp", "detach", cable);
        }
    }

    @Test
    void anotherProgramIsPutBackWhenOursIsRefused() throws IOException {
        Shell.run("ip link add " + MADE + " up type bridge\nethtool -K " + MADE + " gro off");
        try (OtherProgram other = new OtherProgram()) {
            Bpf.attachXdpWithoutLink(other.program(), index(MADE), XdpMode.GENERIC);
            configure(MADE, "native", true);
            problemOf(MADE, "The driver of " + MADE + " refuses XDP");
            assertThat(runsOn(MADE)).isEqualTo(other.id());
            Jmx.invoke("Xdp", "detach", MADE);
        }
    }

    private static int index(String name) {
        return Host.interfaceIndex(name).orElseThrow();
    }

    /** Id of the program on an interface. */
    private static int runsOn(String name) {
        XdpPrograms programs = Bpf.xdpPrograms(index(name));
        return programs.nativeId() + programs.genericId();
    }

    private static Configuration configure(String name, String mode, boolean replace) throws IOException {
        Configuration configuration = Services.waitFor(ConfigurationAdmin.class)
                .getFactoryConfiguration(DataPlane.INTERFACE_PID, name, "?");
        configuration.update(settings(name, mode, replace));
        return configuration;
    }

    private static Hashtable<String, Object> settings(String name, String mode, boolean replace) {
        return new Hashtable<>(Map.of("interface", name, "mode", mode, "replace.other", replace));
    }

    private static Optional<Attachment> attachment(String name) {
        return Services.waitFor(DataPlane.class).attachments().stream()
                .filter(attachment -> attachment.interfaceName().equals(name)).findAny();
    }

    private static void problemOf(String name, String... parts) {
        Jmx.eventually(() -> attachment(name).filter(each -> !each.problem().isEmpty()).isPresent(), "there is a problem");
        assertThat(attachment(name)).hasValueSatisfying(each -> assertThat(each.problem()).contains(parts));
    }

    private static void refuses(String name, String mode, String... parts) {
        assertThatThrownBy(() -> Jmx.invoke("Xdp", "attach", name, mode)).as(name).satisfies(
                refused -> assertThat(refused.getMessage()).contains(parts));
        assertThat(Services.waitFor(DataPlane.class).attachments()).as("the configuration is gone again")
                .noneMatch(attachment -> attachment.interfaceName().equals(name));
        assertThat(Shell.run("ip -d link show dev " + name)).doesNotContain("prog/xdp");
    }
}
