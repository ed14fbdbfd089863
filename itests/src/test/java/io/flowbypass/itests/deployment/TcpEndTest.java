// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.itests.lab.Capture;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.Sender;
import io.flowbypass.itests.lab.Tap;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real TCP connections that are bypassed end by the policy tcp. */
class TcpEndTest {
    private static final int PORT = 5000;
    private static final int SERVER = 6000;
    private static final int MESSAGES = 20;

    @TempDir
    Path directory;
    private Tap tap;
    private Distribution felix;
    private Sender a;
    private Sender b;
    private Capture monitor;

    @BeforeEach
    void build() throws Exception {
        tap = new Tap();
        felix = new Distribution(directory).start();
        RecordKeeper.forget();
        felix.install("keeper", "io.flowbypass.flow,org.osgi.framework", RecordKeeper.class);
        Jmx.invoke("Xdp", "attach", tap.cable(), "native");
        Jmx.setAttribute("Expiry", "SweepIntervalMillis", 50);
        a = tap.senderA();
        b = tap.senderB();
        monitor = tap.monitor();
    }

    @AfterEach
    void takeDown() throws Exception {
        if (tap == null) {
            return;
        }
        try {
            felix.close();
        } finally {
            tap.close();
        }
    }

    /** Opens a connection, which is bypassed, and talks over it. */
    private static void talk(Sender client, int port, int server, String options) {
        client.connect(port, Lab.B, server);
        Jmx.invoke("FlowTable", "bypassWith", "TCP", Lab.A, port, Lab.B, server, options);
        client.talk(MESSAGES);
        Jmx.invoke("Expiry", "sweepNow");
        assertThat(isBypassed(port, server)).as("an open connection").isTrue();
    }

    private static boolean isBypassed(int port, int server) {
        return !String.valueOf(Jmx.invoke("FlowTable", "find", "TCP", Lab.A, port, Lab.B, server)).contains("not bypassed");
    }

    private static void eventuallyEnded(int port, String reason, String detail) {
        Jmx.eventually(() -> RecordKeeper.kept().stream().anyMatch(record -> record.contains(Lab.A + ":" + port)
                && record.contains("reason=" + reason) && record.contains("detail=" + detail + "]")), "it ends: " + detail);
    }

    /** The monitor saw how the connection was opened, nothing of what was said over it, and so many packets of its end. */
    private void monitorSaw(int endOfA, int endOfB) {
        a.connect(PORT + 100, Lab.B, SERVER);
        Jmx.eventually(() -> monitor.connects(PORT + 100, SERVER) == 1, "the monitor sees another connection");
        assertThat(monitor.seen(PORT, SERVER)).as("SYN, ACK and the end").isEqualTo(2 + endOfA);
        assertThat(monitor.seen(SERVER, PORT)).as("SYN and the end").isEqualTo(1 + endOfB);
        assertThat(Jmx.attribute("FlowTable", "UnaccountedPackets")).isEqualTo(0L);
    }

    @Test
    void aConnectionThatWasResetEndsSoonAndOneThatIsOpenStays() {
        Jmx.setAttribute("Policy,name=tcp", "ResetSeconds", 1);
        b.listen(SERVER);
        talk(a, PORT, SERVER, "");
        a.abort();
        eventuallyEnded(PORT, "TCP_RESET", "tcp");
        monitorSaw(1, 0);
    }

    @Test
    void aConnectionThatBothSidesClosedEndsSoonAndTheMonitorSeesBothFins() {
        closedByBoth("");
        monitorSaw(1, 1);
    }

    @Test
    void soDoesOneWhoseFinsAreKeptFromTheMonitor() {
        closedByBoth("passControl=false");
        monitorSaw(0, 0);
    }

    private void closedByBoth(String options) {
        Jmx.setAttribute("Policy,name=tcp", "ClosedSeconds", 1);
        b.listen(SERVER);
        talk(a, PORT, SERVER, options);
        a.finish();
        eventuallyEnded(PORT, "TCP_CLOSED", "tcp");
    }

    @Test
    void aConnectionThatOneSideClosedStaysLonger() {
        Jmx.setAttribute("Policy,name=tcp", "ClosedSeconds", 1);
        Jmx.setAttribute("Policy,name=tcp", "HalfClosedSeconds", 3600);
        b.listenAndStay(SERVER);
        b.listen(SERVER + 1);
        talk(a, PORT, SERVER, "");
        a.shut();
        Sender other = tap.senderA();
        talk(other, PORT + 1, SERVER + 1, "");
        other.finish();
        eventuallyEnded(PORT + 1, "TCP_CLOSED", "tcp");
        assertThat(isBypassed(PORT, SERVER)).as("half-closed for longer than that").isTrue();
        Jmx.setAttribute("Policy,name=tcp", "HalfClosedSeconds", 1);
        eventuallyEnded(PORT, "TCP_CLOSED", "tcp: half-closed");
        assertThat(monitor.seen(PORT, SERVER)).as("SYN, ACK and FIN").isEqualTo(3);
        assertThat(Jmx.attribute("FlowTable", "UnaccountedPackets")).isEqualTo(0L);
    }
}
