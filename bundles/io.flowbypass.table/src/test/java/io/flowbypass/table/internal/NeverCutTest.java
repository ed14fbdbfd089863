// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.NeverCutException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NeverCutTest {
    private static final FlowKey WEB = FlowKey.of(6, "192.0.2.77", 40000, "198.51.100.1", 443);
    private static final FlowKey WEB6 = FlowKey.of(6, "2001:db8:1::7", 40000, "2001:db8:2::1", 443);

    private static boolean names(String list, FlowKey flow) {
        return NeverCut.of(List.of(), NeverCut.list(list)).naming(flow).isPresent();
    }

    @Test
    void shouldNameFlowsWithAnAddressInThePrefix() {
        assertThat(names("192.0.2.0/24", WEB)).isTrue();
        assertThat(names("192.0.2.0/24", WEB.reversed())).isTrue();
        assertThat(names("192.0.2.64/26", WEB)).isTrue();
        assertThat(names("192.0.2.0/26", WEB)).isFalse();
        assertThat(names("192.0.2.77", WEB)).isTrue();
        assertThat(names("192.0.2.76", WEB)).isFalse();
        assertThat(names("0.0.0.0/0", WEB)).isTrue();
        assertThat(names("0.0.0.0/0", WEB6)).isFalse();
        assertThat(names("2001:db8:1::/48", WEB6)).isTrue();
        assertThat(names("2001:db8:3::/48", WEB6)).isFalse();
        assertThat(names("2001:db8:2::1/127", WEB6)).isTrue();
        assertThat(names("2001:db8:2::2/127", WEB6)).isFalse();
        assertThat(names("::/0", WEB6)).isTrue();
    }

    @Test
    void shouldNameFlowsByProtocolAndPort() {
        assertThat(names("192.0.2.0/24 tcp", WEB)).isTrue();
        assertThat(names("192.0.2.0/24 udp", WEB)).isFalse();
        assertThat(names("192.0.2.0/24 tcp/443", WEB)).isTrue();
        assertThat(names("192.0.2.0/24 6/40000", WEB)).isTrue();
        assertThat(names("192.0.2.0/24 tcp/80", WEB)).isFalse();
        assertThat(names("10.0.0.0/8, 192.0.2.0/24 tcp/80, 198.51.100.0/24 tcp/443", WEB)).isTrue();
    }

    @Test
    void shouldNameAllBetweenTwoHostsWhereItNamesAnythingOfOneOfThem() {
        FlowKey all = FlowKey.of(0, "192.0.2.77", 0, "198.51.100.1", 0);
        assertThat(names("192.0.2.0/24 tcp/22", all)).isTrue();
        assertThat(names("203.0.113.0/24 tcp/22", all)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"192.0.2.0/33", "2001:db8::/129", "192.0.2.0/-1", "192.0.2.300", "www.example.org",
        "192.0.2.0/24 tcp/70000", "192.0.2.0/24 tcp/0",
        "192.0.2.0/24 tcp/", "192.0.2.0/24 xyz", "192.0.2.0/24 tcp 80", "192.0.2.0/24/5", "192.0.2.0/24 icmp/8", "tcp/443"})
    void shouldRefuseWhatIsNoEntryAndSaySo(String entry) {
        assertThatThrownBy(() -> NeverCut.list("10.0.0.0/8, " + entry)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("never.cut has \"" + entry + "\": ");
    }

    @Test
    void shouldHoldInUserSpaceWhateverTheKernelHasRoomFor() {
        NeverCut most = NeverCut.of(List.of(), NeverCut.list("10.0.0.1,".repeat(Layout.NEVER)));
        NeverCut more = NeverCut.of(List.of(WEB), NeverCut.list("10.0.0.1,".repeat(Layout.NEVER)));
        assertThat(most.fitsKernel()).isTrue();
        assertThat(more.fitsKernel()).isFalse();
        assertThat(more.naming(WEB)).isPresent();
    }

    @Test
    void shouldNameTheOwnAddressThatForbidsAFlow() {
        NeverCut own = NeverCut.of(List.of(FlowKey.of(0, "198.51.100.1", 0, "198.51.100.1", 0)), List.of());
        assertThatThrownBy(() -> own.refuse(WEB)).isInstanceOf(NeverCutException.class)
                .hasMessageContaining("this machine, 198.51.100.1");
        assertThat(own.naming(WEB6)).isEmpty();
    }
}
