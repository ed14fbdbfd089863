// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.flow.Origin;
import io.flowbypass.itests.lab.Capture;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.Lease;
import io.flowbypass.itests.lab.Product;
import io.flowbypass.itests.lab.Records;
import io.flowbypass.itests.lab.Sender;
import io.flowbypass.itests.lab.Services;
import io.flowbypass.itests.lab.SweepsByHand;
import io.flowbypass.itests.lab.Tap;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A TCP connection of real sockets is bypassed and ends, and the next one has the same addresses and ports. */
class ReusedTupleTest {
    private static final int TCP = 6;
    private static final int CLIENT = 5000;
    private static final int SERVER = 6000;
    private static final int MARKER = 5999;
    private static final int MESSAGES = 100;

    private Tap tap;
    private Product product;
    private SweepsByHand sweeps;
    private Records records;
    private FlowTable table;
    private Sender client;
    private Sender server;
    private Capture monitor;
    private Capture wire;
    private int markers;

    @BeforeEach
    void build() {
        tap = new Tap();
        product = new Product();
        sweeps = new SweepsByHand();
        product.attach(tap.cable(), "native");
        table = Services.waitFor(FlowTable.class);
        records = new Records();
        client = tap.senderA();
        server = tap.senderB();
        monitor = tap.monitor();
        wire = tap.wire();
    }

    @AfterEach
    void takeDown() {
        if (records == null) {
            return;
        }
        records.close();
        sweeps.close();
        product.close();
        tap.close();
    }

    @Test
    void aNewConnectionIsSeenFromItsFirstSyn() {
        isSeenFromItsFirstSyn(Lab.A, Lab.B, Runnable::run);
    }

    @Test
    void aNewConnectionOverIpv6IsSeenFromItsFirstSyn() {
        isSeenFromItsFirstSyn(Lab.A6, Lab.B6, Runnable::run);
    }

    @Test
    void aNewConnectionThatBeginsWhileTheLeaseIsOverIsStillSeenWhenTheLeaseIsBack() {
        isSeenFromItsFirstSyn(Lab.A, Lab.B, Lease::over);
    }

    /** How the new connection begins is up to the caller. */
    private void isSeenFromItsFirstSyn(String from, String to, Consumer<Runnable> begin) {
        server.listen(SERVER);
        client.connect(CLIENT, to, SERVER);
        client.talk(MESSAGES);
        // What is still on its way to XDP would be cut.
        readEverything();
        FlowKey key = FlowKey.of(TCP, from, CLIENT, to, SERVER);
        assertThat(table.bypass(BypassRequest.of(key).withOrigin(Origin.SURICATA))).isTrue();
        readEverything();
        long seenBefore = packets(monitor);
        assertThat(seenBefore).as("packets before the bypass").isGreaterThan(2 * MESSAGES);

        client.talk(MESSAGES);
        client.abort();
        readEverything();
        assertThat(packets(monitor)).as("packets that the monitor saw, all before the bypass").isEqualTo(seenBefore);
        long cut = packets(wire) - packets(monitor);
        assertThat(cut).isGreaterThan(2 * MESSAGES);

        begin.accept(() -> client.connect(CLIENT, to, SERVER));
        client.talk(MESSAGES);
        readEverything();
        assertThat(monitor.connects(CLIENT, SERVER)).as("connections whose SYN the monitor saw").isEqualTo(2);
        Jmx.eventually(() -> packets(wire) - packets(monitor) == cut, "the monitor sees every packet from the SYN on");

        assertThat(sweeps.sweep()).as("flows that the next sweep takes out").isEqualTo(1);
        Jmx.eventually(() -> !records.ended().isEmpty(), "its record is delivered");
        assertThat(records.ended()).singleElement().satisfies(ended -> {
            assertThat(ended.flow().key()).isEqualTo(key);
            assertThat(ended.reason()).isEqualTo(EndReason.REOPENED);
            assertThat(ended.flow().packets()).isEqualTo(cut);
        });
        client.talk(MESSAGES);
        readEverything();
        Jmx.eventually(() -> packets(wire) - packets(monitor) == cut, "and goes on seeing them after the sweep");
    }

    /** Packets of the connections, in both directions. */
    private static long packets(Capture capture) {
        return capture.seen(CLIENT, SERVER) + capture.seen(SERVER, CLIENT);
    }

    /** Both captures have read what was sent before. */
    private void readEverything() {
        client.send(MARKER, Lab.B, SERVER, 1, 1);
        markers++;
        Jmx.eventually(() -> monitor.seen(MARKER, SERVER) == markers && wire.seen(MARKER, SERVER) == markers,
                "both captures have read everything");
    }
}
