// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.itests.lab.Capture;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.LogLines;
import io.flowbypass.itests.lab.Notifications;
import io.flowbypass.itests.lab.OtherProgram;
import io.flowbypass.itests.lab.Product;
import io.flowbypass.itests.lab.Sender;
import io.flowbypass.itests.lab.Services;
import io.flowbypass.itests.lab.Shell;
import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.Bpf.XdpMode;
import io.flowbypass.libbpf.BpfException;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.libbpf.Host;
import io.flowbypass.xdp.Attachment;
import io.flowbypass.xdp.DataPlane;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.osgi.service.cm.ConfigurationAdmin;

/** Whatever takes XDP off an interface is noticed within five seconds, told to whoever listens over JMX, and undone. */
class HealingTest {
    private static final int PAYLOAD = 64;
    private static final int PACKETS = 100;
    private static final Duration NOTICED = Duration.ofSeconds(5);
    private static final int ATTEMPTS = 50;

    private Notifications told;
    private Lab lab;
    private Product product;
    private DataPlane dataPlane;
    private String cable;
    private Sender a;

    @BeforeEach
    void cutAFlow() {
        lab = new Lab();
        product = new Product();
        dataPlane = Services.waitFor(DataPlane.class);
        cable = lab.cableA();
        a = lab.senderA();
        product.attach(cable, "native");
        Jmx.invoke("FlowTable", "bypass", "UDP", Lab.A, 5000, Lab.B, 6000);
        told = new Notifications("Xdp");
    }

    @AfterEach
    void takeDown() {
        if (product != null) {
            told.close();
            product.close();
            if (dataPlane.attachments().stream().anyMatch(each -> each.interfaceName().equals(cable))) {
                Jmx.invoke("Xdp", "detach", cable);
            }
            lab.close();
        }
    }

    @Test
    void anInterfaceThatIsDeletedIsAttachedAgainOnceItIsMadeAgain() {
        cuts();
        long began = System.nanoTime();
        lab.unplugA();
        eventuallyTold("xdp.detached " + cable + ": The interface " + cable + " went away.");
        withinTheLimit(began);
        Jmx.eventually(() -> Files.notExists(pin(cable)), "its dead link is cleared away");
        assertThat(attachment().problem()).contains("attached again once there is a " + cable);

        began = System.nanoTime();
        lab.plugA();
        eventuallyTold("xdp.attached " + cable + ": XDP runs on " + cable + ", native mode.");
        withinTheLimit(began);
        assertThat(attachment()).matches(Attachment::attached).matches(each -> each.problem().isEmpty());
        assertThat(told.lines()).as("each once").hasSize(2);
        cuts();
    }

    @Test
    void aPinThatIsRemovedIsPutBack() throws IOException {
        Capture monitor = lab.capture(cable);
        a.start(5000, Lab.B, 6000, PAYLOAD);
        long began = System.nanoTime();
        Files.delete(pin(cable));
        eventuallyTold("xdp.attached " + cable + ": ");
        withinTheLimit(began);
        assertThat(told.lines().get(0)).startsWith("xdp.detached " + cable + ": The pin " + pin(cable) + " was removed");
        assertThat(pin(cable)).exists();
        onlyCutFromNowOn(monitor);
    }

    @Test
    void theirDirectoryToo() throws IOException {
        Files.delete(pin(cable));
        Files.delete(pin(cable).getParent());
        eventuallyTold("xdp.attached " + cable + ": ");
        assertThat(pin(cable)).exists();
        cuts();
    }

    @Test
    void aLinkThatIsDetachedIsAttachedAgain() {
        Capture monitor = lab.capture(cable);
        a.start(5000, Lab.B, 6000, PAYLOAD);
        long began = System.nanoTime();
        Shell.run("bpftool link detach pinned " + pin(cable));
        eventuallyTold("xdp.attached " + cable + ": ");
        withinTheLimit(began);
        assertThat(told.lines().get(0)).startsWith("xdp.detached " + cable + ": Somebody else detached the link");
        onlyCutFromNowOn(monitor);
    }

    @Test
    void anotherProgramThatTookTheHookMeanwhileStaysUntilItGoes() throws IOException {
        product.attach(lab.cableB(), "native");
        product.detach(cable);
        configure("replace.other", true);
        Jmx.eventually(() -> dataPlane.attachments().stream().allMatch(Attachment::attached), "both are attached");
        Capture monitor = lab.capture(cable);
        int index = Host.interfaceIndex(cable).orElseThrow();
        try (LogLines log = new LogLines("io.flowbypass.xdp"); OtherProgram other = new OtherProgram()) {
            takeTheHook(other, index);
            Jmx.eventually(() -> attachment().problem().contains("Another XDP program, " + other.named()), "it is named");
            assertThat(attachment()).matches(each -> !each.attached());
            a.send(5000, Lab.B, 6000, PACKETS, PAYLOAD);
            Jmx.eventually(() -> monitor.seen(5000, 6000) == PACKETS, "the monitor sees the flow meanwhile");
            lookedAround(lab.cableB(), 2);
            assertThat(Bpf.xdpPrograms(index).nativeId()).as("it is left alone").isEqualTo(other.id());
            assertThat(log.lines()).filteredOn(line -> line.contains("Another XDP program")).as("said once").hasSize(1);
            assertThat(toldAttached(cable)).as("it is not said to be attached").isZero();
            Bpf.detachXdpWithoutLink(other.program(), index, XdpMode.NATIVE);
            eventuallyTold("xdp.attached " + cable + ": ");
        }
        cuts();
        assertThat(monitor.seen(5000, 6000)).isEqualTo(PACKETS);
    }

    /** Detaches the link and attaches the other program before XDP is back. */
    private void takeTheHook(OtherProgram other, int index) {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            try (Descriptor link = Bpf.open(pin(cable))) {
                Bpf.detachLink(link.number());
                Bpf.attachXdpWithoutLink(other.program(), index, XdpMode.NATIVE);
                return;
            } catch (BpfException tooLate) {
                assertThat(tooLate.error()).isIn("EBUSY", "ENOENT");
            }
        }
        throw new AssertionError("XDP was always there first");
    }

    /** Configures the interface, with one attribute more. */
    private void configure(String attribute, Object value) throws IOException {
        Services.waitFor(ConfigurationAdmin.class).getFactoryConfiguration(DataPlane.INTERFACE_PID, cable, "?")
                .update(new Hashtable<>(Map.of("interface", cable, attribute, value)));
    }

    @Test
    void aMapThatIsUnpinnedIsPinnedAgain() throws IOException {
        for (String map : List.of("records", "config")) {
            Path pin = Path.of(Product.PIN_ROOT, map);
            long began = System.nanoTime();
            Files.delete(pin);
            eventuallyTold("xdp.repinned " + map + " was unpinned");
            withinTheLimit(began);
            assertThat(pin).exists();
        }
        Files.delete(pin(cable));
        eventuallyTold("xdp.attached " + cable + ": ");
        cuts();
    }

    @Test
    void withThePinsOfAnotherTableInTheirPlaceNothingIsAttached() throws IOException {
        Capture monitor = lab.capture(cable);
        Path config = Path.of(Product.PIN_ROOT, "config");
        Path away = Path.of(Product.PIN_ROOT, "config-away");
        Files.move(config, away);
        try {
            Shell.run("bpftool map create " + config + " type array key 4 value 256 entries 1 name another");
            assertThat(attachment()).as("XDP goes on").matches(Attachment::attached);
            Files.delete(pin(cable));
            Jmx.eventually(() -> attachment().problem().contains("./flowbypass off"), "what to do is said");
            assertThat(attachment()).matches(each -> !each.attached());
            a.send(5000, Lab.B, 6000, PACKETS, PAYLOAD);
            Jmx.eventually(() -> monitor.seen(5000, 6000) == PACKETS, "the monitor sees the flow");
        } finally {
            Files.move(away, config, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    @Test
    void anInterfaceThatIsMadeAfterItsConfigurationIsAttached() throws IOException {
        product.detach(cable);
        lab.unplugA();
        configure("mode", "native");
        Jmx.eventually(() -> dataPlane.attachments().stream()
                .anyMatch(each -> each.problem().contains("no network interface " + cable)), "it is missing");
        lab.plugA();
        eventuallyTold("xdp.attached " + cable + ": XDP runs on " + cable + ", native mode.");
        assertThat(told.lines()).as("it was never off").hasSize(1);
        cuts();
    }

    @Test
    void whatWasInTheWayIsSaidOnceAndTriedAgainOnceItIsGone() throws IOException {
        product.detach(cable);
        product.attach(cable, "generic");
        product.attach(lab.cableB(), "native");
        Shell.run("ethtool -K " + cable + " gro on");
        try (LogLines log = new LogLines("io.flowbypass.xdp")) {
            Files.delete(pin(cable));
            Jmx.eventually(() -> attachment().problem().contains("ethtool -K " + cable + " gro off"), "it is refused");
            lookedAround(lab.cableB(), 2);
            assertThat(log.lines()).filteredOn(line -> line.contains("(GRO)")).hasSize(1);
            Shell.run("ethtool -K " + cable + " gro off");
            eventuallyTold("xdp.attached " + cable + ": XDP runs on " + cable + ", generic mode.");
        }
        cuts();
    }

    @Test
    void onAnInterfaceThatHasAnotherNameForAWhileXdpGoesOn() {
        String other = cable + "x";
        rename(cable, other);
        eventuallyTold("xdp.detached " + cable + ": The interface " + cable + " has another name now");
        assertThat(Shell.run("ip -d link show dev " + other)).contains("prog/xdp");
        rename(other, cable);
        eventuallyTold("xdp.attached " + cable + ": ");
        cuts();
    }

    private static void rename(String before, String now) {
        Shell.run("ip link set " + before + " down\nip link set " + before + " name " + now
                + "\nip link set " + now + " up");
    }

    @Test
    void whatWasDetachedOnPurposeStaysSo() throws IOException {
        product.attach(lab.cableB(), "native");
        product.detach(lab.cableB());
        lookedAround(cable, 2);
        assertThat(told.lines()).noneMatch(news -> news.contains(lab.cableB()));
        assertThat(Shell.run("ip -d link show dev " + lab.cableB())).doesNotContain("prog/xdp");
    }

    /** All interfaces have been looked at that often: so often this one lost its pin and got it back. */
    private void lookedAround(String which, int times) throws IOException {
        for (int i = 0; i < times; i++) {
            long soFar = toldAttached(which);
            Files.delete(pin(which));
            Jmx.eventually(() -> toldAttached(which) > soFar, "the pin is back");
        }
    }

    private long toldAttached(String which) {
        return told.lines().stream().filter(news -> news.startsWith("xdp.attached " + which)).count();
    }

    private static Path pin(String which) {
        String namespace = Shell.run("stat -L -c %i /proc/self/ns/net").strip();
        return Path.of(Product.PIN_ROOT, "links", namespace + "-" + which);
    }

    private Attachment attachment() {
        return dataPlane.attachments().stream().filter(each -> each.interfaceName().equals(cable)).findAny().orElseThrow();
    }

    private void eventuallyTold(String beginning) {
        Jmx.eventually(() -> told.lines().stream().anyMatch(news -> news.startsWith(beginning)), beginning);
    }

    private static void withinTheLimit(long began) {
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(NOTICED);
    }

    /** A monitor sees other flows, and nothing of the bypassed one. */
    private void cuts() {
        try (Capture monitor = lab.capture(cable)) {
            a.send(5000, Lab.B, 6000, PACKETS, PAYLOAD);
            seesOthers(monitor, 5001);
            assertThat(monitor.seen(5000, 6000)).isZero();
        }
    }

    private void seesOthers(Capture monitor, int port) {
        a.send(port, Lab.B, 6000, PACKETS, PAYLOAD);
        Jmx.eventually(() -> monitor.seen(port, 6000) == PACKETS, "the monitor sees another flow");
    }

    private void onlyCutFromNowOn(Capture monitor) {
        seesOthers(monitor, 5001);
        long meanwhile = monitor.seen(5000, 6000);
        long before = a.sent();
        Jmx.eventually(() -> a.sent() > before + 200, "traffic goes on");
        a.stop();
        seesOthers(monitor, 5002);
        assertThat(monitor.seen(5000, 6000)).as("packets since XDP is back").isEqualTo(meanwhile);
    }
}
