// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.itests.lab.Capture;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.Product;
import io.flowbypass.itests.lab.Sender;
import io.flowbypass.itests.lab.Services;
import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.xdp.Attachment;
import io.flowbypass.xdp.DataPlane;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** An interface with packets too large for one buffer. */
class LargeMtuTest {
    private static final int MTU = 9000;
    private static final int PAYLOAD = 8900;
    /** Ethernet, IPv4 and UDP headers. */
    private static final int HEADERS = 14 + 20 + 8;
    private static final FlowKey FLOW = FlowKey.of(17, Lab.A, 5000, Lab.B, 6000);

    private Lab lab;
    private Product product;

    @BeforeEach
    void build() {
        lab = new Lab();
        product = new Product();
        lab.setMtuOfA(MTU);
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
    void getsTheProgramForSeveralBuffersNativelyAndCutsAndCountsWholePackets() throws Exception {
        product.attach(lab.cableA(), "auto");
        Attachment attached = Services.waitFor(DataPlane.class).attachments().get(0);
        assertThat(attached.mode()).isEqualTo("native");
        try (Descriptor frags = Bpf.open(Path.of(Product.PIN_ROOT, "program-frags"))) {
            assertThat(attached.programId()).isEqualTo(Bpf.describeProgram(frags.number()).id());
        }
        FlowTable table = Services.waitFor(FlowTable.class);
        Sender a = lab.senderA();
        Capture monitor = lab.capture(lab.cableA());
        a.send(5000, Lab.B, 6000, 10, PAYLOAD);
        Jmx.eventually(() -> monitor.seen(5000, 6000) == 10, "the monitor sees the flow before its bypass");
        table.bypass(BypassRequest.of(FLOW));
        a.send(5000, Lab.B, 6000, 100, PAYLOAD);
        a.send(5001, Lab.B, 6000, 1, PAYLOAD);
        Jmx.eventually(() -> monitor.seen(5001, 6000) == 1, "another flow is seen");
        assertThat(monitor.seen(5000, 6000)).isEqualTo(10);
        FlowRecord record = table.release(FLOW).get(10, TimeUnit.SECONDS).orElseThrow();
        assertThat(record.flow().forward().packets()).isEqualTo(100);
        assertThat(record.flow().forward().bytes()).isEqualTo(100 * (PAYLOAD + HEADERS));
    }

    @Test
    void ofGenericModeAreReadWholeToo() throws Exception {
        product.attach(lab.cableA(), "generic");
        FlowTable table = Services.waitFor(FlowTable.class);
        table.bypass(BypassRequest.of(FLOW));
        Sender a = lab.senderA();
        Capture monitor = lab.capture(lab.cableA());
        a.send(5000, Lab.B, 6000, 100, PAYLOAD);
        a.send(5001, Lab.B, 6000, 1, PAYLOAD);
        Jmx.eventually(() -> monitor.seen(5001, 6000) == 1, "another flow is seen");
        assertThat(monitor.seen(5000, 6000)).isZero();
        FlowRecord record = table.release(FLOW).get(10, TimeUnit.SECONDS).orElseThrow();
        assertThat(record.flow().forward().bytes()).isEqualTo(100 * (PAYLOAD + HEADERS));
    }
}
