// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.itests.lab.Capture;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.Sender;
import io.flowbypass.itests.lab.Shell;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The JVM of a deployed Flowbypass stands still for longer than the lease and the idle timeout, and goes on. */
class FreezeTest extends CommandLab {
    /** Many, so that not all of them can have spoken between the thaw and the first sweep. */
    private static final int FLOWS = 50;
    private static final int FIRST_PORT = 5000;
    private static final int SILENT_PORT = 4999;
    private static final int MARKER_PORT = 4998;
    private static final int SERVER_PORT = 6000;
    private static final int IDLE_SECONDS = 3;

    private RemoteJmx jmx;
    private Sender sender;
    private Capture monitor;
    private long rounds;
    private long markers;

    @Test
    void packetsPassOnceTheLeaseIsOverAndAThawedJvmCutsAgainAndExpiresNothingThatWasActive() throws Exception {
        try (Lab lab = new Lab()) {
            start("./flowbypass", "run", "-i", lab.cableA(), "--mode", "native");
            Jmx.eventually(() -> said("out").contains("jconsole"), "it runs");
            String jvm = said("out").replaceFirst("(?s).*jconsole (\\d+).*", "$1");
            sender = lab.senderA();
            monitor = lab.capture(lab.cableA());
            try (RemoteJmx connected = new RemoteJmx(jvm)) {
                jmx = connected;
                try {
                    freezeAndThaw(jvm);
                } finally {
                    // Before the connection is closed, which a frozen JVM would never answer.
                    Shell.run("kill -CONT " + jvm);
                }
            }
        }
    }

    private void freezeAndThaw(String jvm) throws Exception {
        Jmx.eventually(() -> jmx.isThere("Xdp") && jmx.isThere("FlowTable") && jmx.isThere("Policy,name=idle"),
                "the MBeans are there");
        jmx.setAttribute("Xdp", "LeaseSeconds", 1);
        jmx.setAttribute("Expiry", "SweepIntervalMillis", 100);
        jmx.setAttribute("Policy,name=idle", "UdpSeconds", IDLE_SECONDS);
        for (int flow = 0; flow < FLOWS; flow++) {
            bypass(FIRST_PORT + flow);
        }
        Jmx.eventually(() -> seenOfARound() == 0, "the flows are cut");

        bypass(SILENT_PORT);
        Shell.run("kill -STOP " + jvm);
        long frozen = System.nanoTime();
        Jmx.eventually(() -> seenOfARound() == FLOWS, "packets pass once the lease is over");
        Jmx.eventually(() -> {
            assertThat(seenOfARound()).as("packets that pass while it is frozen").isEqualTo(FLOWS);
            return System.nanoTime() - frozen > TimeUnit.SECONDS.toNanos(2 * IDLE_SECONDS);
        }, "it stands still for longer than the idle timeout");

        Shell.run("kill -CONT " + jvm);
        Jmx.eventually(() -> {
            assertThat((Integer) jmx.attribute("FlowTable", "ActiveFlows")).isGreaterThanOrEqualTo(FLOWS);
            return seenOfARound() == 0;
        }, "it cuts again");
        // As long as the sign of life is late: a lease of a second has no room for a machine that is busy.
        jmx.setAttribute("Xdp", "LeaseSeconds", 3600);
        long sweeps = (Long) jmx.attribute("Expiry", "Sweeps");
        Jmx.eventually(() -> {
            assertThat(seenOfARound()).as("packets that pass after the thaw").isZero();
            return (Long) jmx.attribute("Expiry", "Sweeps") > sweeps + 2
                    && (Long) jmx.attribute("Expiry", "ExpiredFlows") > 0;
        }, "it sweeps, and what was silent expires");
        // The table's numbers may be a second old.
        Jmx.eventually(() -> jmx.attribute("FlowTable", "BypassedPackets").equals(rounds * FLOWS - seen()),
                "what was sent and not seen is counted as cut");
        assertThat(jmx.attribute("FlowTable", "ActiveFlows")).as("flows that were active while it stood still")
                .isEqualTo(FLOWS);
        assertThat(jmx.attribute("Expiry", "ExpiredFlows")).as("expired flows").isEqualTo(1L);
        assertThat(jmx.attribute("FlowTable", "UnaccountedPackets")).isEqualTo(0L);
    }

    private void bypass(int port) throws Exception {
        jmx.invoke("FlowTable", "bypass", "UDP", Lab.A, port, Lab.B, SERVER_PORT);
    }

    /** Lets each flow send a packet; returns how many of these the monitor sees. */
    private long seenOfARound() {
        long before = seen();
        for (int flow = 0; flow < FLOWS; flow++) {
            sender.send(FIRST_PORT + flow, Lab.B, SERVER_PORT, 1, 1);
        }
        rounds++;
        sender.send(MARKER_PORT, Lab.B, SERVER_PORT, 1, 1);
        markers++;
        Jmx.eventually(() -> monitor.seen(MARKER_PORT, SERVER_PORT) == markers, "the monitor has seen all");
        return seen() - before;
    }

    private long seen() {
        long seen = 0;
        for (int flow = 0; flow < FLOWS; flow++) {
            seen += monitor.seen(FIRST_PORT + flow, SERVER_PORT);
        }
        return seen;
    }
}
