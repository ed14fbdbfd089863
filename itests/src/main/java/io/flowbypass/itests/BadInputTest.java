// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.Product;
import io.flowbypass.itests.lab.Shell;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What an operator can get wrong over JMX: each is refused in a sentence, and nothing is changed. */
class BadInputTest {
    private Product product;

    @BeforeEach
    void build() {
        product = new Product();
    }

    @AfterEach
    void takeDown() {
        if (product == null) {
            return;
        }
        assertThat(Jmx.attribute("FlowTable", "ActiveFlows")).as("nothing was bypassed").isEqualTo(0);
        product.close();
    }

    private static void refusesFlow(String why, String protocol, String source, int sourcePort, String destination,
            int destinationPort) {
        for (String operation : new String[] {"bypass", "release", "find"}) {
            assertThatThrownBy(() -> Jmx.invoke("FlowTable", operation, protocol, source, sourcePort, destination,
                    destinationPort)).as(operation).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(why);
        }
    }

    @Test
    void addressesPortsAndProtocolsThatAreNone() {
        refusesFlow("source port 70000", "TCP", "198.51.100.1", 70000, "198.51.100.2", 80);
        refusesFlow("destination port -1", "TCP", "198.51.100.1", 7, "198.51.100.2", -1);
        refusesFlow("\"www.example.org\" is not an IP address", "TCP", "www.example.org", 7, "198.51.100.2", 80);
        refusesFlow("\"192.0.2.256\" is not an IP address", "TCP", "198.51.100.1", 7, "192.0.2.256", 80);
        refusesFlow("\"192.0.2\" is not an IP address", "TCP", "192.0.2", 7, "198.51.100.2", 80);
        refusesFlow("\"2001:db8::g\" is not an IP address", "TCP", "2001:db8::g", 7, "2001:db8::1", 80);
        refusesFlow("different families", "TCP", "198.51.100.1", 7, "2001:db8::1", 80);
        refusesFlow("protocol \"TCQ\"", "TCQ", "198.51.100.1", 7, "198.51.100.2", 80);
    }

    @Test
    void aProtocolWithoutPorts() {
        assertThatThrownBy(() -> Jmx.invoke("FlowTable", "bypass", "ICMP", "198.51.100.1", 0, "198.51.100.2", 0))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("hostPair");
    }

    @Test
    void aFlowOfThisMachineItself() {
        assertThatThrownBy(() -> Jmx.invoke("FlowTable", "bypass", "TCP", "127.0.0.1", 7, "198.51.100.2", 80))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("127.0.0.1");
        assertThatThrownBy(() -> Jmx.invoke("FlowTable", "bypass", "TCP", "2001:db8::1", 7, "::1", 80))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("address of this machine");
    }

    @Test
    void interfacesThatCannotBeAttached() {
        refusesInterface("nosuch0", "nosuch0");
        refusesInterface("lo", "lo");
        try (Lab lab = new Lab()) {
            Shell.run("ip address add 203.0.113.78/32 dev " + lab.cableA());
            refusesInterface(lab.cableA(), "203.0.113.78");
            assertThatThrownBy(() -> Jmx.invoke("Xdp", "attach", lab.cableB(), "turbo")).hasMessageContaining("turbo");
            product.attach(lab.cableB(), "native");
            assertThatThrownBy(() -> Jmx.invoke("Xdp", "attach", lab.cableB(), "native"))
                    .hasMessageContaining(lab.cableB());
            product.detach(lab.cableB());
            assertThatThrownBy(() -> Jmx.invoke("Xdp", "detach", lab.cableB())).hasMessageContaining(lab.cableB());
            assertThat(Shell.run("ip -d link show dev " + lab.cableB())).doesNotContain("prog/xdp");
        }
    }

    private static void refusesInterface(String name, String part) {
        assertThatThrownBy(() -> Jmx.invoke("Xdp", "attach", name, "native")).as(name)
                .isInstanceOfAny(IllegalArgumentException.class, IllegalStateException.class)
                .hasMessageContaining(part);
        assertThat((Object[]) Jmx.attribute("Xdp", "Interfaces")).as("the configuration is gone again").isEmpty();
    }

    @Test
    void settingsOutOfRange() {
        refusesSetting("Xdp", "LeaseSeconds", 0);
        refusesSetting("Xdp", "LeaseSeconds", 86401);
        refusesSetting("Expiry", "SweepIntervalMillis", 9);
        refusesSetting("Policy,name=idle", "TcpSeconds", 0);
        refusesSetting("Policy,name=idle", "UdpSeconds", -5);
        assertThatThrownBy(() -> Jmx.invoke("Expiry", "selectPolicies", "nosuch")).hasMessageContaining("nosuch");
        assertThatThrownBy(() -> Jmx.invoke("FlowTable", "list", -1, 10)).hasMessageContaining("-1");
    }

    private static void refusesSetting(String type, String attribute, int value) {
        Object before = Jmx.attribute(type, attribute);
        assertThatThrownBy(() -> Jmx.setAttribute(type, attribute, value)).as(attribute)
                .hasStackTraceContaining(Integer.toString(value));
        assertThat(Jmx.attribute(type, attribute)).as(attribute).isEqualTo(before);
    }
}
