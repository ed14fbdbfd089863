// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.itests.lab.Capture;
import io.flowbypass.itests.lab.Framework;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.LogLines;
import io.flowbypass.itests.lab.Product;
import io.flowbypass.itests.lab.Sender;
import io.flowbypass.itests.lab.Services;
import io.flowbypass.itests.lab.Shell;
import io.flowbypass.xdp.DataPlane;
import io.flowbypass.xdp.Verdict;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What A sends to B goes to C, over real cables to real sockets. */
class RedirectTest {
    private static final int UDP = 17;
    private static final int PACKETS = 100;
    private static final int PAYLOAD = 100;
    private static final int THREADS = 8;
    private static final FlowKey FLOW = FlowKey.of(UDP, Lab.A, 5000, Lab.B, 6000);

    private Lab lab;
    private Product product;
    private FlowTable table;
    private DataPlane dataPlane;
    private String cableC;
    private Sender a;
    private Sender c;
    private Capture monitor;
    private Capture onC;

    @BeforeEach
    void build() {
        lab = new Lab();
        product = new Product();
        table = Services.waitFor(FlowTable.class);
        dataPlane = Services.waitFor(DataPlane.class);
        product.attach(lab.cableA(), "native");
        cableC = lab.hostC();
        a = lab.senderA();
        c = lab.senderC();
        monitor = lab.capture(lab.cableA());
        onC = lab.captureOnC();
        c.receive(6000);
    }

    @AfterEach
    void takeDown() {
        if (product == null) {
            return;
        }
        product.close();
        redirectPorts("");
        Jmx.eventually(() -> !dataPlane.hasRedirectPort(1), "no port is left");
        lab.close();
    }

    private static void redirectPorts(String list) {
        Framework.configure("io.flowbypass.xdp", "redirect.ports", list);
    }

    @Test
    void packetsOfARedirectedFlowArriveAtCAndAreCountedOnce() throws Exception {
        redirectPorts("1 = " + cableC + ", 2 = " + cableC + "/" + lab.macOfC());
        Jmx.eventually(() -> dataPlane.hasRedirectPort(1) && dataPlane.hasRedirectPort(2), "the ports are there");
        long redirected = dataPlane.verdicts().get(Verdict.CUT_REDIRECTED).packets();

        table.bypass(BypassRequest.of(FLOW).withRedirect(1));
        a.send(5000, Lab.B, 6000, PACKETS, PAYLOAD);
        Jmx.eventually(() -> onC.seen(5000, 6000) == PACKETS, "C sees every packet");
        assertThat(c.received()).as("datagrams for C's socket, by the MAC address of another host").isZero();
        FlowRecord first = table.release(FLOW).get(10, TimeUnit.SECONDS).orElseThrow();
        assertThat(first.flow().forward().packets()).isEqualTo(PACKETS);

        table.bypass(BypassRequest.of(FLOW).withRedirect(2));
        a.send(5000, Lab.B, 6000, PACKETS, PAYLOAD);
        Jmx.eventually(() -> c.received() == PACKETS, "C's socket gets every datagram that was given its MAC address");
        a.send(5001, Lab.B, 6000, 1, PAYLOAD);
        Jmx.eventually(() -> monitor.seen(5001, 6000) == 1, "another flow goes its way");
        assertThat(monitor.seen(5000, 6000)).as("packets that went their way").isZero();
        FlowRecord second = table.release(FLOW).get(10, TimeUnit.SECONDS).orElseThrow();
        assertThat(second.flow().forward().packets()).isEqualTo(PACKETS);
        assertThat(dataPlane.verdicts().get(Verdict.CUT_REDIRECTED).packets() - redirected).isEqualTo(2 * PACKETS);
        assertThat(table.statistics().unaccountedPackets()).isZero();
    }

    @Test
    void onceItsPortIsGoneAFlowIsPassedAndNotCounted() throws Exception {
        redirectPorts("1 = " + cableC);
        Jmx.eventually(() -> dataPlane.hasRedirectPort(1), "the port is there");
        table.bypass(BypassRequest.of(FLOW).withRedirect(1));
        redirectPorts("");
        Jmx.eventually(() -> !dataPlane.hasRedirectPort(1), "the port is gone");
        long errors = dataPlane.verdicts().get(Verdict.ERROR_REDIRECT).packets();
        a.send(5000, Lab.B, 6000, PACKETS, PAYLOAD);
        Jmx.eventually(() -> monitor.seen(5000, 6000) == PACKETS, "the monitor sees every packet");
        assertThat(dataPlane.verdicts().get(Verdict.ERROR_REDIRECT).packets() - errors).isEqualTo(PACKETS);
        assertThat(table.release(FLOW).get(10, TimeUnit.SECONDS).orElseThrow().flow().packets()).isZero();
    }

    @Test
    void onceItsInterfaceIsGoneAFlowIsPassedToo() throws Exception {
        redirectPorts("1 = " + cableC);
        Jmx.eventually(() -> dataPlane.hasRedirectPort(1), "the port is there");
        table.bypass(BypassRequest.of(FLOW).withRedirect(1));
        Shell.run("ip link del " + cableC);
        long errors = dataPlane.verdicts().get(Verdict.ERROR_REDIRECT).packets();
        a.send(5000, Lab.B, 6000, PACKETS, PAYLOAD);
        Jmx.eventually(() -> monitor.seen(5000, 6000) == PACKETS, "the monitor sees every packet");
        assertThat(dataPlane.verdicts().get(Verdict.ERROR_REDIRECT).packets() - errors).isEqualTo(PACKETS);
        assertThat(table.find(FLOW).orElseThrow().packets()).isZero();
    }

    @Test
    void aPortLeadsToItsInterfaceAgainOnceThatIsBack() throws Exception {
        redirectPorts("1 = " + cableC);
        Jmx.eventually(() -> dataPlane.hasRedirectPort(1), "the port is there");
        Shell.run("ip link del " + cableC);
        Jmx.eventually(() -> !dataPlane.hasRedirectPort(1), "its interface is gone");
        Shell.run("ip link add " + cableC + " type veth peer name " + cableC + "x");
        try {
            Jmx.eventually(() -> dataPlane.hasRedirectPort(1), "its interface is back");
        } finally {
            Shell.run("ip link del " + cableC);
        }
    }

    @Test
    void anIpv6FlowIsRedirectedToo() throws Exception {
        redirectPorts("2 = " + cableC + "/" + lab.macOfC());
        Jmx.eventually(() -> dataPlane.hasRedirectPort(2), "the port is there");
        FlowKey key = FlowKey.of(UDP, Lab.A6, 5000, Lab.B6, 6000);
        table.bypass(BypassRequest.of(key).withRedirect(2));
        a.send(5000, Lab.B6, 6000, PACKETS, PAYLOAD);
        Jmx.eventually(() -> onC.seen(5000, 6000) == PACKETS, "C sees every packet");
        assertThat(table.release(key).get(10, TimeUnit.SECONDS).orElseThrow().flow().forward().packets())
                .isEqualTo(PACKETS);
    }

    @Test
    void ofSeveralThreadsThatReleaseARedirectedFlowExactlyOneGetsItsRecord() throws Exception {
        redirectPorts("1 = " + cableC);
        Jmx.eventually(() -> dataPlane.hasRedirectPort(1), "the port is there");
        table.bypass(BypassRequest.of(FLOW).withRedirect(1));
        a.send(5000, Lab.B, 6000, PACKETS, PAYLOAD);
        Jmx.eventually(() -> onC.seen(5000, 6000) == PACKETS, "C sees every packet");
        List<Optional<FlowRecord>> releases = IntStream.range(0, THREADS)
                .mapToObj(thread -> CompletableFuture.supplyAsync(() -> table.release(FLOW).join())).toList().stream()
                .map(CompletableFuture::join).toList();
        assertThat(releases.stream().flatMap(Optional::stream)).singleElement()
                .satisfies(record -> assertThat(record.flow().packets()).isEqualTo(PACKETS));
        a.send(5000, Lab.B, 6000, PACKETS, PAYLOAD);
        Jmx.eventually(() -> monitor.seen(5000, 6000) == PACKETS, "packets go to B again");
    }

    @Test
    void aPortWithAnInterfaceThatIsNotThereChangesNothing() throws Exception {
        redirectPorts("1 = " + cableC);
        Jmx.eventually(() -> dataPlane.hasRedirectPort(1), "the port is there");
        try (LogLines log = new LogLines("io.flowbypass.xdp")) {
            redirectPorts("1 = " + cableC + ", 3 = nosuchif0");
            Jmx.eventually(() -> log.lines().stream().anyMatch(line -> line.contains("nosuchif0")), "it is refused");
        }
        redirectPorts("1 = " + cableC + ", 4 = " + cableC);
        Jmx.eventually(() -> dataPlane.hasRedirectPort(4), "a good list is in force");
        assertThat(dataPlane.hasRedirectPort(3)).isFalse();
        assertThat(dataPlane.hasRedirectPort(1)).isTrue();
    }

    @Test
    void overJmxAPortIsOnlyNamedAndNeverMade() {
        assertThatThrownBy(() -> Jmx.invoke("FlowTable", "bypassWith", "UDP", Lab.A, 5000, Lab.B, 6000, "redirect=5"))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("redirect.ports");
        assertThatThrownBy(() -> Jmx.invoke("FlowTable", "bypassWith", "UDP", Lab.A, 5000, Lab.B, 6000,
                "redirect=" + cableC)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("not a number");
    }
}
