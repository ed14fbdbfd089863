// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.xdp.DataPlane;
import io.flowbypass.xdp.Verdict;
import java.nio.file.Path;

/** Single packets through the product's program by the kernel's test run, no interface needed. */
public final class Packets implements AutoCloseable {
    private static final int XDP_DROP = 1;
    private static final int XDP_PASS = 2;

    private final DataPlane dataPlane = Services.waitFor(DataPlane.class);
    private final Descriptor program;

    /** Through the pinned program of that name. */
    public Packets(String program) {
        this.program = Bpf.open(Path.of(Product.PIN_ROOT, program));
    }

    /** A packet is dropped, and counted so. */
    public void cuts(byte[] frame) {
        expect(XDP_DROP, Verdict.CUT_DROPPED, frame);
    }

    /** A packet is dropped, and counted as one of another tool's table. */
    public void cutsClassic(byte[] frame) {
        expect(XDP_DROP, Verdict.CUT_CLASSIC, frame);
    }

    /** A packet is passed, with that verdict. */
    public void passes(Verdict verdict, byte[] frame) {
        expect(XDP_PASS, verdict, frame);
    }

    /** Lets packets come; what becomes of them is not asked. */
    public void send(byte[] frame, int times) {
        program.run(number -> Bpf.testRun(number, frame, times));
    }

    private void expect(int action, Verdict verdict, byte[] frame) {
        var before = dataPlane.verdicts().get(verdict);
        assertThat(program.call(number -> Bpf.testRun(number, frame, 1)).result()).as(verdict.name()).isEqualTo(action);
        var after = dataPlane.verdicts().get(verdict);
        assertThat(after.packets() - before.packets()).as(verdict.name()).isEqualTo(1);
        assertThat(after.bytes() - before.bytes()).as(verdict.name()).isEqualTo(frame.length);
    }

    @Override
    public void close() {
        program.close();
    }
}
