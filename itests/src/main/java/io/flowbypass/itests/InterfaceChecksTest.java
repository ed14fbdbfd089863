// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.Product;
import io.flowbypass.itests.lab.Reaper;
import io.flowbypass.itests.lab.Shell;
import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.Bpf.XdpMode;
import io.flowbypass.libbpf.BpfObject;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.libbpf.Host;
import io.flowbypass.libbpf.NetworkOffloads;
import java.io.InputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Interfaces on which XDP would not see each packet as it was on the wire are refused in a sentence, and left alone. */
class InterfaceChecksTest {
    /** An interface that a test makes. */
    private static final String MADE = "fb" + ProcessHandle.current().pid() + "x";

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
    void anotherProgramOnTheHookIsNamed() throws Exception {
        try (InputStream file = InterfaceChecksTest.class.getResourceAsStream("/maps.bpf.o");
                BpfObject object = BpfObject.open("maps.bpf.o", file.readAllBytes())) {
            object.load();
            int program = object.programDescriptor("emit");
            for (XdpMode mode : XdpMode.values()) {
                try (Descriptor other = Bpf.attachXdp(program, Host.interfaceIndex(lab.cableA()).orElseThrow(), mode)) {
                    assertThat(other.number()).isPositive();
                    assertThatThrownBy(() -> Jmx.invoke("Xdp", "attach", lab.cableA(), "auto")).as("%s", mode)
                            .hasMessageContaining("Another XDP program, id " + Bpf.describeProgram(program).id() + ",");
                }
            }
        }
        product.attach(lab.cableA(), "auto");
    }

    private static void refuses(String name, String mode, String... parts) {
        assertThatThrownBy(() -> Jmx.invoke("Xdp", "attach", name, mode)).as(name).satisfies(
                refused -> assertThat(refused.getMessage()).contains(parts));
        assertThat((Object[]) Jmx.attribute("Xdp", "Interfaces")).as("the configuration is gone again").isEmpty();
        assertThat(Shell.run("ip -d link show dev " + name)).doesNotContain("prog/xdp");
    }
}
