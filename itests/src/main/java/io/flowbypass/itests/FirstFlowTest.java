// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.itests.lab.Capture;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.Product;
import io.flowbypass.itests.lab.Sender;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The main job, over JMX: a bypass cuts one real flow, and its record tells what was sent. */
class FirstFlowTest {
    private static final int PAYLOAD = 100;
    /** Ethernet, IPv4 and UDP headers. */
    private static final int HEADERS = 14 + 20 + 8;

    private Lab lab;
    private Product product;

    @BeforeEach
    void build() {
        lab = new Lab();
        product = new Product();
        product.attach(lab.cableA(), "native");
        product.attach(lab.cableB(), "native");
    }

    @AfterEach
    void takeDown() {
        if (product == null) {
            return;
        }
        product.close();
        lab.close();
    }

    @Test
    void aBypassOverJmxCutsTheFlowAndItsRecordCountsWhatWasSent() {
        Sender a = lab.senderA();
        Sender b = lab.senderB();
        Capture behindA = lab.capture(lab.cableA());
        a.send(5000, Lab.B, 6000, 100, PAYLOAD);
        Jmx.eventually(() -> behindA.seen(5000, 6000) == 100, "the monitor sees the flow before its bypass");

        Jmx.invoke("FlowTable", "bypass", "UDP", Lab.A, 5000, Lab.B, 6000);
        a.send(5000, Lab.B, 6000, 1000, PAYLOAD);
        b.send(6000, Lab.A, 5000, 300, PAYLOAD);
        a.send(5001, Lab.B, 6000, 50, PAYLOAD);
        Jmx.eventually(() -> behindA.seen(5001, 6000) == 50, "another flow is still seen");
        assertThat(behindA.seen(5000, 6000)).as("packets of the bypassed flow that reached the monitor").isEqualTo(100);

        String record = String.valueOf(Jmx.invoke("FlowTable", "release", "UDP", Lab.A, 5000, Lab.B, 6000));
        assertThat(record).containsPattern(Pattern.quote(Integer.toString(1000)) + " packets")
                .contains(Integer.toString(1000 * (PAYLOAD + HEADERS)))
                .contains("300 packets").contains(Integer.toString(300 * (PAYLOAD + HEADERS)));
        assertThat(Jmx.attribute("FlowTable", "BypassedPackets")).isEqualTo(product.bypassedBefore() + 1300L);
        assertThat(Jmx.attribute("FlowTable", "UnaccountedPackets")).isEqualTo(0L);
        a.send(5000, Lab.B, 6000, 70, PAYLOAD);
        Jmx.eventually(() -> behindA.seen(5000, 6000) == 170, "the monitor sees the flow again after its release");
    }
}
