// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.libbpf.NetworkOffloads;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InterfaceRulesTest {
    @Test
    void shouldRecogniseADefaultRoute() {
        String route = "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0   ";
        assertThat(InterfaceRules.isIpv4Default(route, "eth0")).isTrue();
        assertThat(InterfaceRules.isIpv4Default(route, "eth1")).isFalse();
        assertThat(InterfaceRules.isIpv4Default("eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0", "eth0"))
                .isFalse();
        String zero = "0".repeat(32);
        assertThat(InterfaceRules.isIpv6Default(zero + " 00 " + zero + " 00 fd000000000000000000000000000001 00000400"
                + " 00000002 00000000 00000003     eth0", "eth0")).isTrue();
        assertThat(InterfaceRules.isIpv6Default("fd000000000000000000000000000000 40 " + zero + " 00 " + zero
                + " 00000100 00000001 00000000 00000001     eth0", "eth0")).isFalse();
    }

    @Test
    void shouldNameTheParentOfAVlan(@TempDir Path directory) throws Exception {
        Path config = Files.writeString(directory.resolve("config"), """
                VLAN Dev name	 | VLAN ID
                Name-Type: VLAN_NAME_TYPE_RAW_PLUS_VID_NO_PAD
                eth0.7         | 7  | eth0
                """);
        assertThat(InterfaceRules.vlanParent(config, "eth0.7")).hasValue("eth0");
        assertThat(InterfaceRules.vlanParent(config, "eth0")).isEmpty();
        assertThat(InterfaceRules.vlanParent(directory.resolve("none"), "eth0")).isEmpty();
    }

    @Test
    void shouldNameTheBondOfAMember(@TempDir Path directory) throws Exception {
        Files.writeString(directory.resolve("bond0"), """
                Ethernet Channel Bonding Driver: v6.1.0

                Bonding Mode: load balancing (round-robin)

                Slave Interface: eth10
                MII Status: up
                """);
        assertThat(InterfaceRules.bondOf(directory, "eth10")).hasValue("bond0");
        assertThat(InterfaceRules.bondOf(directory, "eth1")).isEmpty();
        assertThat(InterfaceRules.bondOf(directory.resolve("none"), "eth10")).isEmpty();
    }

    @Test
    void shouldRefuseTheLoopbackInterfaceEvenInline() {
        assertThatThrownBy(() -> InterfaceRules.check("lo", "native", true, false)).isInstanceOf(Refusal.class)
                .hasMessageContaining("loopback");
    }

    @Test
    void shouldRefuseHardwareThatMergesPacketsInAnyMode() {
        NetworkOffloads merging = new NetworkOffloads(true, false, false);
        for (String mode : new String[] {"auto", "native", "generic"}) {
            assertThatThrownBy(() -> InterfaceRules.checkOffloads("eth1", merging, mode, false)).as(mode)
                    .isInstanceOf(Refusal.class).hasMessageContaining("LRO")
                    .hasMessageContaining("ethtool -K eth1 lro off").hasMessageContaining("--fix-offloads");
        }
    }

    @Test
    void shouldRefuseMergedPacketsInGenericModeOnly() throws Exception {
        NetworkOffloads merging = new NetworkOffloads(false, true, false);
        InterfaceRules.checkOffloads("eth1", merging, "auto", true);
        InterfaceRules.checkOffloads("eth1", merging, "native", true);
        assertThatThrownBy(() -> InterfaceRules.checkOffloads("eth1", merging, "generic", true)).isInstanceOf(Refusal.class)
                .hasMessageContaining("GRO").hasMessageContaining("ethtool -K eth1 gro off");
    }

    @Test
    void shouldRefuseStrippedTagsOnlyWhereVlansAreTracked() throws Exception {
        NetworkOffloads stripping = new NetworkOffloads(false, false, true);
        InterfaceRules.checkOffloads("eth1", stripping, "generic", false);
        assertThatThrownBy(() -> InterfaceRules.checkOffloads("eth1", stripping, "native", true)).isInstanceOf(Refusal.class)
                .hasMessageContaining("vlan.tracking").hasMessageContaining("ethtool -K eth1 rxvlan off");
    }

    @Test
    void shouldNameTheQueuesThatAfXdpSocketsHave() throws Exception {
        InterfaceRules.checkSockets("eth1", Set.of());
        assertThatThrownBy(() -> InterfaceRules.checkSockets("eth1", new TreeSet<>(Set.of(3, 0))))
                .isInstanceOf(Refusal.class).hasMessageContaining("AF_XDP socket on eth1, queue 0, 3:");
    }
}
