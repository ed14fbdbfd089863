// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.Origin;
import io.flowbypass.itests.lab.Capture;
import io.flowbypass.itests.lab.ClassicClient;
import io.flowbypass.itests.lab.Framework;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.OtherTools;
import io.flowbypass.itests.lab.Product;
import io.flowbypass.itests.lab.Records;
import io.flowbypass.itests.lab.Sender;
import io.flowbypass.itests.lab.Services;
import io.flowbypass.itests.lab.Shell;
import io.flowbypass.itests.lab.SweepsByHand;
import io.flowbypass.xdp.DataPlane;
import io.flowbypass.xdp.Verdict;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Clients that speak the layouts of other tools, written from those layouts alone, over real cables. */
class ClassicTest {
    private static final int CLIENT = 5000;
    private static final int SERVER = 6000;
    private static final int MARKER = 5999;
    private static final int THERE = 100;
    private static final int BACK = 40;

    private Lab lab;
    private Product product;
    private SweepsByHand sweeps;
    private Records records;
    private DataPlane dataPlane;
    private Sender a;
    private Sender b;
    private Capture onA;
    private Capture onB;
    private OtherTools tools;

    @BeforeEach
    void build() {
        lab = new Lab();
        product = new Product();
        sweeps = new SweepsByHand();
        dataPlane = Services.waitFor(DataPlane.class);
        product.attach(lab.cableA(), "native");
        product.attach(lab.cableB(), "native");
        records = new Records();
        a = lab.senderA();
        b = lab.senderB();
        onA = lab.capture(lab.cableA());
        onB = lab.capture(lab.cableB());
    }

    @AfterEach
    void takeDown() {
        if (records == null) {
            return;
        }
        records.close();
        if (tools != null) {
            tools.close();
        }
        Framework.configure("io.flowbypass.classic", "suricata.orphan.seconds", "200");
        Framework.configure("io.flowbypass.classic", "zeek.orphan.seconds", "600");
        Jmx.setAttribute("Policy,name=idle", "UdpSeconds", 60);
        sweeps.close();
        product.close();
        lab.close();
    }

    @Test
    void whatLibflowbypassBypassesIsCutCountedInItsValueExpiredByThePoliciesAndRecorded() {
        tools = new OtherTools("libflowbypass", 2);
        isCutAndCounted(new ClassicClient("libflowbypass", OtherTools.BPFFS), Lab.A, Lab.B);
        Jmx.setAttribute("Policy,name=idle", "UdpSeconds", 1);
        ends(Origin.OTHER, "libflowbypass", "idle", 2);
    }

    @Test
    void whatSuricataBypassesIsCutCountedInItsValueAndTakenOutOnlyAsAnOrphan() {
        tools = new OtherTools("suricata/fbitest", 2);
        isCutAndCounted(new ClassicClient("suricata:fbitest", OtherTools.BPFFS), Lab.A6, Lab.B6);
        endsOnlyAsAnOrphan(Origin.SURICATA, "suricata", 2);
    }

    @Test
    void whatZeekShuntsIsCutCountedInItsValueAndTakenOutOnlyAsAnOrphan() {
        tools = new OtherTools("zeek", 2);
        isCutAndCounted(new ClassicClient("zeek", OtherTools.BPFFS), Lab.A, Lab.B);
        endsOnlyAsAnOrphan(Origin.ZEEK, "zeek", 1);
    }

    private void endsOnlyAsAnOrphan(Origin origin, String tool, int entries) {
        Jmx.setAttribute("Policy,name=idle", "UdpSeconds", 1);
        assertThat(sweeps.sweep()).as("flows that a policy may end, of a tool that ends them itself").isZero();
        Framework.configure("io.flowbypass.classic", tool + ".orphan.seconds", "1");
        ends(origin, tool, "orphan", entries);
    }

    private void isCutAndCounted(ClassicClient client, String from, String to) {
        long cut = dataPlane.verdicts().get(Verdict.CUT_CLASSIC).packets();
        client.insert("udp", from, CLIENT, to, SERVER);
        a.send(CLIENT, to, SERVER, THERE, 100);
        b.send(SERVER, from, CLIENT, BACK, 100);
        Jmx.eventually(() -> dataPlane.verdicts().get(Verdict.CUT_CLASSIC).packets() - cut == THERE + BACK, "all are cut");
        assertThat(client.packets("udp", from, CLIENT, to, SERVER)).as("what the tool reads").containsExactly(THERE, BACK);
        a.send(MARKER, to, SERVER, 1, 100);
        b.send(MARKER, from, CLIENT, 1, 100);
        Jmx.eventually(() -> onA.seen(MARKER, SERVER) == 1 && onB.seen(MARKER, CLIENT) == 1, "another flow is passed");
        assertThat(onA.seen(CLIENT, SERVER) + onB.seen(SERVER, CLIENT)).as("packets of the flow that were passed").isZero();
        assertThat((Object[]) Jmx.invoke("Classic", "find", "UDP", from, CLIENT, to, SERVER)).isNotEmpty()
                .allSatisfy(line -> assertThat(line.toString()).contains("rule classic"));
    }

    /** Sweeps until the flow is out, which takes the second that it has to be silent. */
    private void ends(Origin origin, String asker, String detail, int entries) {
        Jmx.eventually(() -> {
            sweeps.sweep();
            return records.ended().size() == entries;
        }, "the flow is taken out");
        assertThat(records.ended()).allSatisfy(record -> {
            assertThat(record.reason()).isEqualTo(EndReason.IDLE);
            assertThat(record.detail()).isEqualTo(detail);
            assertThat(record.flow().origin()).isEqualTo(origin);
            assertThat(record.flow().asker()).isEqualTo(asker);
            assertThat(record.flow().rule()).isEqualTo("classic");
        });
        assertThat(records.ended().stream().mapToLong(record -> record.flow().packets()).sum()).isEqualTo(THERE + BACK);
        assertThat(records.ended()).extracting(FlowRecord::id).doesNotHaveDuplicates();
        assertThat(Jmx.attribute("FlowTable", "UnaccountedPackets")).as("the native ledger").isEqualTo(0L);
    }

    @Test
    void bpftoolReadsAndWritesTheSameEntries() {
        tools = new OtherTools("libflowbypass", 2);
        String pin = OtherTools.BPFFS + "/autocutoff/flow_table_v4";
        // 10.77.0.1:5000 to 10.77.0.2:6000, UDP; the value is for each CPU.
        String key = "10 77 0 1 10 77 0 2 19 136 23 112 17 0 0 0";
        Shell.run("bpftool map update pinned " + pin + " key " + key + " value" + " 0".repeat(24));
        a.send(CLIENT, Lab.B, SERVER, THERE, 100);
        Jmx.eventually(() -> Shell.run("bpftool -j map lookup pinned " + pin + " key " + key).contains("\"0x64\""),
                "a CPU has counted 100 packets");
        a.send(MARKER, Lab.B, SERVER, 1, 100);
        Jmx.eventually(() -> onA.seen(MARKER, SERVER) == 1, "another flow is passed");
        assertThat(onA.seen(CLIENT, SERVER)).isZero();
    }

    @Test
    void aPinThatIsRemovedIsPutBackOnceTheToolHadTimeToMakeItsOwn() {
        tools = new OtherTools("libflowbypass", 2);
        ClassicClient client = new ClassicClient("libflowbypass", OtherTools.BPFFS);
        isCutAndCounted(client, Lab.A, Lab.B);
        var ours = tools.ids();
        client.run("unpin");
        sweeps.sweep();
        assertThat(OtherTools.BPFFS.resolve("autocutoff/flow_table_v4")).doesNotExist();
        sweeps.sweep();
        assertThat(client.packets("udp", Lab.A, CLIENT, Lab.B, SERVER)).as("the entry, at the pin that is back")
                .containsExactly(THERE, BACK);
        assertThat(tools.ids()).isEqualTo(ours);
    }

    @Test
    void aMapThatTheToolMakesAnewIsAdoptedWithinASweepAndItsPinIsLeftToTheTool() {
        tools = new OtherTools("libflowbypass", 2);
        ClassicClient client = new ClassicClient("libflowbypass", OtherTools.BPFFS);
        var before = tools.ids();
        client.run("recreate", "1000");
        sweeps.sweep();
        assertThat(tools.ids()).doesNotContainAnyElementsOf(before);
        isCutAndCounted(client, Lab.A, Lab.B);

        var adopted = tools.ids();
        client.run("unpin");
        sweeps.sweep();
        sweeps.sweep();
        assertThat(OtherTools.BPFFS.resolve("autocutoff/flow_table_v4")).doesNotExist();
        assertThat(tools.ids()).as("XDP goes on with them").isEqualTo(adopted);
    }

    @Test
    void aMapOfAnotherLayoutIsRefusedAndTheOtherToolsGoOn() {
        Shell.run("mkdir -p " + OtherTools.BPFFS + "/zeek\nbpftool map create " + OtherTools.BPFFS
                + "/zeek/shunt_map type hash key 44 value 56 entries 10 name other");
        tools = new OtherTools("zeek, libflowbypass", 2);
        isCutAndCounted(new ClassicClient("libflowbypass", OtherTools.BPFFS), Lab.A, Lab.B);

        Shell.run("rm " + OtherTools.BPFFS + "/zeek/shunt_map");
        sweeps.sweep();
        assertThat(tools.ids()).as("maps once the other one is gone").hasSize(4);
        assertThat(new ClassicClient("libflowbypass", OtherTools.BPFFS).packets("udp", Lab.A, CLIENT, Lab.B, SERVER))
                .as("nothing of the first tool's is lost").containsExactly(THERE, BACK);
    }

    @Test
    void aMapThatProgramsMayNotWriteLeavesOnlyItsToolOut() {
        Shell.run("mkdir -p " + OtherTools.BPFFS + "/autocutoff\nbpftool map create " + OtherTools.BPFFS
                + "/autocutoff/flow_table_v4 type percpu_hash key 16 value 24 entries 10 name other flags 128");
        tools = new OtherTools("libflowbypass, zeek", 2);
        isCutAndCounted(new ClassicClient("zeek", OtherTools.BPFFS), Lab.A, Lab.B);
    }

    @Test
    void anOwnerThatIsNotThereIsRefusedAndWhatWasInForceStays() {
        tools = new OtherTools("libflowbypass", 2);
        var before = tools.ids();
        Framework.configure("io.flowbypass.xdp", "classic.owner", "nobody-of-that-name");
        try {
            tools.use("libflowbypass", 2);
            isCutAndCounted(new ClassicClient("libflowbypass", OtherTools.BPFFS), Lab.A, Lab.B);
            assertThat(tools.ids()).isEqualTo(before);
        } finally {
            Framework.configure("io.flowbypass.xdp", "classic.owner", "");
        }
    }

    @Test
    void flowsOfOtherToolsAreListedOverJmx() {
        tools = new OtherTools("suricata/fbitest 1000", 2);
        new ClassicClient("suricata:fbitest", OtherTools.BPFFS).insert("tcp", Lab.A, CLIENT, Lab.B, SERVER);
        sweeps.sweep();
        assertThat((Object[]) Jmx.attribute("Classic", "Tables")).hasSize(2);
        assertThat(Jmx.attribute("Classic", "ActiveFlows")).as("an entry for each direction").isEqualTo(2);
        assertThat((Object[]) Jmx.invoke("Classic", "list", 0, 10)).hasSize(2)
                .allSatisfy(line -> assertThat(line.toString()).contains("suricata"));
    }
}
