// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.itests.lab.Capture;
import io.flowbypass.itests.lab.ClassicClient;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.Reaper;
import io.flowbypass.itests.lab.Sender;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A flow that another tool bypassed runs while Flowbypass, or a part of it, is stopped and started: no packet is seen. */
class ClassicRestartTest {
    private static final Path BPFFS = Path.of("/sys/fs/bpf");
    private static final int PAYLOAD = 64;

    @TempDir
    Path directory;
    private Reaper pins;
    private Distribution felix;
    private Lab lab;
    private Sender a;
    private Capture behindA;
    private ClassicClient client;

    @BeforeEach
    void cutAFlowThatKeepsRunning() throws Exception {
        lab = new Lab();
        pins = new Reaper("rm -rf " + BPFFS + "/autocutoff");
        felix = new Distribution(directory);
        felix.configure("io.flowbypass.xdp", "classic.tables", "libflowbypass 1000");
        felix.configure("io.flowbypass.xdp", "classic.owner", "nobody");
        felix.start();
        Jmx.eventually(() -> Jmx.isThere("Classic"), "the tables are swept");
        Jmx.invoke("Xdp", "attach", lab.cableA(), "native");
        a = lab.senderA();
        behindA = lab.capture(lab.cableA());
        client = new ClassicClient("libflowbypass", BPFFS);
        client.insert("udp", Lab.A, 5000, Lab.B, 6000);
        a.start(5000, Lab.B, 6000, PAYLOAD);
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
            pins.close();
            lab.close();
        }
    }

    private void awaitMoreTraffic() {
        long before = a.sent();
        Jmx.eventually(() -> a.sent() > before + 200, "traffic goes on");
    }

    private void everyPacketWasCutAndCounted() {
        awaitMoreTraffic();
        long sent = a.stop();
        a.send(5999, Lab.B, 6000, 50, PAYLOAD);
        Jmx.eventually(() -> behindA.seen(5999, 6000) == 50, "a flow that is not bypassed is seen");
        assertThat(behindA.seen(5000, 6000)).as("packets of the cut flow that were seen").isZero();
        assertThat(client.packets("udp", Lab.A, 5000, Lab.B, 6000)).as("what the tool reads").containsExactly(sent, 0);
    }

    @Test
    void thePinsBelongToTheConfiguredOwnerAlone() throws Exception {
        for (String map : new String[] {"flow_table_v4", "flow_table_v6"}) {
            Path pin = BPFFS.resolve("autocutoff").resolve(map);
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(pin))).isEqualTo("rw-------");
            assertThat(Files.getOwner(pin).getName()).isEqualTo("nobody");
        }
        everyPacketWasCutAndCounted();
    }

    @Test
    void theSweeperIsStoppedAndStarted() throws Exception {
        felix.stop("io.flowbypass.classic");
        assertThat(Jmx.isThere("Classic")).isFalse();
        awaitMoreTraffic();
        felix.start("io.flowbypass.classic");
        Jmx.eventually(() -> Jmx.isThere("Classic"), "it is back");
        everyPacketWasCutAndCounted();
    }

    @Test
    void theLoaderIsStoppedAndStarted() throws Exception {
        felix.stop("io.flowbypass.xdp");
        awaitMoreTraffic();
        felix.start("io.flowbypass.xdp");
        Jmx.awaitAll();
        everyPacketWasCutAndCounted();
    }

    @Test
    void theWholeFrameworkIsStoppedAndStarted() throws Exception {
        felix.stop();
        awaitMoreTraffic();
        felix.start();
        everyPacketWasCutAndCounted();
    }
}
