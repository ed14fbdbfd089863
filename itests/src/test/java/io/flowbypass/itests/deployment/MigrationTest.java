// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.itests.lab.Capture;
import io.flowbypass.itests.lab.Frame;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.Root;
import io.flowbypass.itests.lab.Sender;
import io.flowbypass.itests.lab.Shell;
import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.BpfObject;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.libbpf.LinkDescription;
import io.flowbypass.libbpf.MapDescription;
import io.flowbypass.libbpf.MappedMemory;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A pinned table of another capacity or layout becomes records, and another one takes its place; or it is refused. */
class MigrationTest {
    private static final Path ROOT = Distribution.PIN_ROOT;
    private static final Path OLD = ROOT.resolve("old");
    /** What is moved aside, in this order. */
    private static final List<String> MOVED = List.of("records", "info", "config");
    private static final int PAYLOAD = 64;
    /** Ethernet, IPv4 and UDP headers. */
    private static final int HEADERS = 42;
    /** Of the tables that are made here. */
    private static final int CAPACITY = 100;
    /** Codes of {@code flowbypass.h} and of the enums of the API. */
    private static final int LIVE = 1;
    private static final int CLOSING = 2;
    private static final int HARVESTED = 3;
    private static final int CLAIMED = 4;
    private static final int COUNT = 2;
    private static final int ZEEK = 2;
    private static final int IDLE = 1;

    @TempDir
    Path directory;
    private Distribution felix;
    private Lab lab;

    @BeforeEach
    void prepare() throws Exception {
        Root.required();
        RecordKeeper.forget();
        lab = new Lab();
        felix = new Distribution(directory);
        felix.configure("io.flowbypass.table", "durable.listeners", RecordKeeper.NAME);
    }

    @AfterEach
    void takeDown() throws Exception {
        if (lab == null) {
            return;
        }
        try {
            felix.close();
        } finally {
            lab.close();
        }
    }

    private void installKeeper() throws Exception {
        felix.install("keeper", "io.flowbypass.flow,org.osgi.framework", RecordKeeper.class);
    }

    private static void bypass(int port) {
        Jmx.invoke("FlowTable", "bypass", "UDP", Lab.A, port, Lab.B, 6000);
    }

    private static String find(int port) {
        return String.valueOf(Jmx.invoke("FlowTable", "find", "UDP", Lab.A, port, Lab.B, 6000));
    }

    /** The only record of a flow from that port. */
    private static String recordOf(int port) {
        String source = Lab.A + ":" + port + " > ";
        Jmx.eventually(() -> RecordKeeper.kept().stream().anyMatch(record -> record.contains(source)), "its record");
        assertThat(RecordKeeper.kept()).filteredOn(record -> record.contains(source)).hasSize(1);
        return RecordKeeper.kept().stream().filter(record -> record.contains(source)).findFirst().orElseThrow();
    }

    private static void eventuallyRemoved() {
        Jmx.eventually(() -> !Files.exists(OLD), "the old pins are removed");
    }

    private static LinkDescription link() throws IOException {
        try (Stream<Path> pins = Files.list(ROOT.resolve("links"))) {
            List<Path> links = pins.toList();
            assertThat(links).hasSize(1);
            try (Descriptor link = Bpf.open(links.get(0))) {
                return Bpf.describeLink(link.number());
            }
        }
    }

    @Test
    void aTableOfAnotherCapacityIsDrainedWhileTrafficRunsAndNoPacketIsLost() throws Exception {
        felix.start();
        Jmx.invoke("Xdp", "attach", lab.cableA(), "native");
        Jmx.invoke("Xdp", "attach", lab.cableB(), "native");
        Capture behindA = lab.capture(lab.cableA());
        bypass(5000);
        bypass(5001);
        lab.senderA().send(5001, Lab.B, 6000, 300, PAYLOAD);
        lab.senderB().send(6000, Lab.A, 5001, 200, 2 * PAYLOAD);
        Jmx.eventually(() -> find(5001).contains("300 packets") && find(5001).contains("200 packets"), "all are counted");
        Jmx.invoke("Xdp", "detach", lab.cableB());
        LinkDescription before = link();
        Sender running = lab.senderA();
        running.start(5000, Lab.B, 6000, PAYLOAD);
        Jmx.eventually(() -> running.sent() > 200, "traffic runs");

        felix.stop();
        felix.configure("io.flowbypass.xdp", "capacity", "8192");
        felix.migrate(true).start();
        installKeeper();
        assertThat(recordOf(5001)).contains("forward=DirectionCounts[packets=300, bytes=" + 300 * (PAYLOAD + HEADERS))
                .contains("reverse=DirectionCounts[packets=200, bytes=" + 200 * (2 * PAYLOAD + HEADERS))
                .contains("reason=RECOVERED").contains("detail=migrated").contains("origin=MANUAL");
        eventuallyRemoved();
        LinkDescription after = link();
        assertThat(after.id()).as("the link stays").isEqualTo(before.id());
        assertThat(after.programId()).as("it runs another program").isNotEqualTo(before.programId());

        long sent = running.stop();
        long recorded = Long.parseLong(recordOf(5000).replaceFirst(".*forward=DirectionCounts\\[packets=(\\d+).*", "$1"));
        assertThat(recorded).isBetween(200L, sent);
        Jmx.eventually(() -> recorded + behindA.seen(5000, 6000) == sent, "each packet is in the record or was seen");
        assertThat(Jmx.attribute("FlowTable", "Capacity")).isEqualTo(8192);
        assertThat(find(5000)).contains("not bypassed");
        bypass(5000);
        lab.senderA().send(5000, Lab.B, 6000, 50, PAYLOAD);
        Jmx.eventually(() -> find(5000).contains("50 packets"), "the new table cuts");
        assertThat(behindA.seen(5000, 6000)).isEqualTo(sent - recorded);
        assertThat(Jmx.attribute("FlowTable", "UnaccountedPackets")).isEqualTo(0L);
    }

    @Test
    void aTableThatLacksAMapIsNotThrownAwayButRefusedAndDrained() throws Exception {
        felix.start();
        bypass(5000);
        felix.stop();
        Files.delete(ROOT.resolve("tracker"));
        felix.launch();
        assertThat(felix.failure()).contains("tracker is missing").contains("--migrate").contains("./flowbypass off").hasLineCount(1);
        assertThat(ROOT.resolve("records")).as("nothing was removed").exists();
        felix.stop();
        Files.delete(directory.resolve("failure"));
        felix.migrate(true).start();
        installKeeper();
        assertThat(recordOf(5000)).contains("reason=RECOVERED");
        eventuallyRemoved();
    }

    /** Two flows in a table of 4096, and a configuration that says 8192. */
    private void leaveATableOfAnotherCapacity() throws Exception {
        felix.start();
        bypass(5000);
        bypass(5001);
        felix.stop();
        felix.configure("io.flowbypass.xdp", "capacity", "8192");
    }

    @Test
    void whatTheDurableListenersDidNotTakeStaysForTheNextStart() throws Exception {
        leaveATableOfAnotherCapacity();
        felix.migrate(true).start();
        bypass(5002);
        assertThat(pinned(OLD)).containsExactlyInAnyOrderElementsOf(MOVED);
        felix.stop();
        // Once more, which does not forget that one.
        felix.configure("io.flowbypass.xdp", "capacity", "2048");
        felix.launch();
        assertThat(felix.failure()).contains(OLD.toString()).contains("durable listeners").hasLineCount(1);
        felix.stop();
        assertThat(pinned(OLD)).containsExactlyInAnyOrderElementsOf(MOVED);
        felix.configure("io.flowbypass.xdp", "capacity", "8192");
        felix.migrate(false).start();
        assertThat(RecordKeeper.kept()).isEmpty();
        installKeeper();
        recordOf(5000);
        recordOf(5001);
        eventuallyRemoved();
        assertThat(find(5002)).as("in the new table").contains("0 packets");
        felix.stop();
        felix.start();
        assertThat(RecordKeeper.kept()).as("once").hasSize(2);
    }

    @Test
    void aProgramThatStillHasTheOldTableCutsNothingMoreByIt() throws Exception {
        felix.start();
        bypass(5000);
        try (Descriptor program = Bpf.open(ROOT.resolve("program"))) {
            byte[] packet = Frame.ethernet().ipv4(Lab.A, Lab.B, 17).udp(5000, 6000).bytes();
            assertThat(Bpf.testRun(program.number(), packet, 10).result()).as("dropped").isEqualTo(1);
            felix.stop();
            felix.configure("io.flowbypass.xdp", "capacity", "8192");
            felix.migrate(true).start();
            assertThat(Bpf.testRun(program.number(), packet, 10).result()).as("passed").isEqualTo(2);
        }
        installKeeper();
        assertThat(recordOf(5000)).contains("packets=10,");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void aMoveThatWasInterruptedIsEndedByAnyStart(int steps) throws Exception {
        leaveATableOfAnotherCapacity();
        Files.createDirectory(OLD);
        for (String name : MOVED.subList(0, Math.min(steps, MOVED.size()))) {
            Files.move(ROOT.resolve(name), OLD.resolve(name), StandardCopyOption.ATOMIC_MOVE);
        }
        if (steps > MOVED.size()) {
            // The first of the new maps.
            pinAnyMap("records");
        }
        felix.start();
        installKeeper();
        recordOf(5000);
        recordOf(5001);
        eventuallyRemoved();
        assertThat(Jmx.attribute("FlowTable", "Capacity")).isEqualTo(8192);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void aRemovalThatWasInterruptedIsEndedByAnyStartAndNothingIsDeliveredAgain(int removed) throws Exception {
        leaveATableOfAnotherCapacity();
        felix.migrate(true).start();
        felix.stop();
        for (String name : MOVED.subList(0, removed)) {
            Files.delete(OLD.resolve(name));
        }
        felix.migrate(false).start();
        installKeeper();
        eventuallyRemoved();
        assertThat(RecordKeeper.kept()).hasSize(removed == 0 ? 2 : 0);
    }

    @Test
    void aTableThatFitsIsAdoptedAsEver() throws Exception {
        felix.start();
        bypass(5000);
        felix.stop();
        felix.migrate(true).start();
        assertThat(find(5000)).contains("0 packets");
        assertThat(Files.exists(OLD)).isFalse();
    }

    @Test
    void aMapOfAnotherShapeBesideASuitableConfigIsNotAdoptedEither() throws Exception {
        felix.start();
        bypass(5000);
        felix.stop();
        Files.delete(ROOT.resolve("tracker"));
        pinAnyMap("tracker");
        felix.migrate(true).start();
        installKeeper();
        recordOf(5000);
        eventuallyRemoved();
        assertThat(find(5000)).contains("not bypassed");
    }

    private static void pinAnyMap(String name) {
        try (Descriptor map = Bpf.createMap(2, name, 4, 64, 10, 0, 0)) {
            Bpf.pin(map.number(), ROOT.resolve(name));
        }
    }

    // Other layouts.

    /** The layout by which config and slots are written here. */
    private static String reordered(String header) {
        if (!header.contains("struct fb_config {")) {
            return header;
        }
        String text = moveUp(header, "struct fb_record {", "__u64 added;", "__u64 last_seen;");
        text = moveUp(text, "struct fb_info {", "char cookie[32];", "__u64 addr[4];");
        text = moveUp(text, "struct fb_config {", "__u32 abi;", "__u32 capacity;");
        return moveUp(text, "struct fb_config {", "__u64 table_id;", "__u64 abi_hash;");
    }

    private static String moveUp(String text, String struct, String member, String before) {
        int begin = text.indexOf(struct);
        int line = text.indexOf("\t" + member, begin);
        int end = text.indexOf('\n', line) + 1;
        int to = text.indexOf("\t" + before, begin);
        assertThat(begin < to && to < line).as(member).isTrue();
        return text.substring(0, to) + text.substring(line, end) + text.substring(to, line) + text.substring(end);
    }

    /** Pins the maps of a version with another header. */
    private void pinTableOf(UnaryOperator<String> change, int abi) throws Exception {
        Path source = directory.resolve("bpf");
        Shell.run("cp -r ../bpf " + source + " && rm -rf " + source + "/target");
        try (Stream<Path> files = Files.list(source)) {
            for (Path file : files.filter(file -> file.toString().matches(".*\\.[ch]")).toList()) {
                Files.writeString(file, change.apply(Files.readString(file)));
            }
        }
        Shell.run(source + "/build.sh " + source + "/out");
        Files.createDirectory(ROOT);
        try (BpfObject object = BpfObject.open("other", Files.readAllBytes(source.resolve("out/flowbypass.bpf.o")))) {
            object.resize("records", 2 * CAPACITY);
            object.resize("info", CAPACITY);
            object.load();
            for (String name : List.of("index", "records", "info", "verdicts", "reserve", "ports", "tracker", "never",
                    "cutoffs", "events")) {
                Bpf.pin(object.mapDescriptor(name), ROOT.resolve(name));
            }
            Bpf.pin(object.mapDescriptor(".data.config"), ROOT.resolve("config"));
        }
        write("config", memory -> memory.putInt(104, abi).putLong(112, 0xabcdef));
    }

    private static void write(String map, Consumer<ByteBuffer> writer) {
        try (Descriptor opened = Bpf.open(ROOT.resolve(map))) {
            MapDescription description = Bpf.describeMap(opened.number());
            try (MappedMemory memory = Bpf.map(opened.number(), 0, (long) description.valueSize() * description.maxEntries(),
                    true)) {
                writer.accept(memory.buffer());
            }
        }
    }

    /** Writes a flow of {@link Lab#A} from 5000 + slot to {@link Lab#B}, port 6000, which asked for it. */
    private static void writeSlot(int slot, int generation, int firstState, int secondState) {
        for (int direction = 0; direction < 2; direction++) {
            int at = (slot * 2 + direction) * 64;
            int number = direction + 1;
            int state = direction == 0 ? firstState : secondState;
            write("records", memory -> memory.putLong(at, System.nanoTime()).putLong(at + 8, System.nanoTime())
                    .putLong(at + 16, 1000L * number).putLong(at + 24, 100_000L * number).putInt(at + 32, 0x112)
                    .putInt(at + 56, 6 | 4 << 8 | state << 16 | COUNT << 24).putInt(at + 60, generation));
        }
        write("info", memory -> {
            int at = slot * 144;
            memory.put(at, "cookie".getBytes()).put(at + 112, "asker".getBytes()).put(at + 128, "rule".getBytes());
            memory.put(at + 32, new byte[] {10, 77, 0, 1, 10, 77, 0, 2});
            memory.put(at + 64, new byte[] {5000 >> 8, (byte) (5000 + slot), 6000 >> 8, (byte) 6000});
            memory.putInt(at + 72, 6 | 4 << 8).put(at + 76, (byte) 1).put(at + 77, (byte) ZEEK).put(at + 78, (byte) IDLE);
            memory.putLong(at + 80, 10).putLong(at + 88, 20).putLong(at + 96, 30).putLong(at + 104, 40);
        });
    }

    @Test
    void aTableWhoseMembersLieElsewhereIsReadByTheirNames() throws Exception {
        pinTableOf(MigrationTest::reordered, 2);
        writeSlot(3, 7, LIVE, LIVE);
        writeSlot(4, 1, CLOSING, CLOSING);
        writeSlot(5, 1, CLAIMED, LIVE);
        writeSlot(6, 1, CLAIMED, CLAIMED);
        writeSlot(7, 1, HARVESTED, CLOSING);
        felix.migrate(true).start();
        installKeeper();
        eventuallyRemoved();
        assertThat(RecordKeeper.kept()).hasSize(3);
        assertThat(RecordKeeper.kept().get(0)).contains("id=abcdef-3-7", "reason=RECOVERED", "detail=migrated",
                "key=TCP " + Lab.B + ":6000 > " + Lab.A + ":5003",
                "forward=DirectionCounts[packets=1980, bytes=199960, tcpFlags=18]",
                "reverse=DirectionCounts[packets=990, bytes=99970, tcpFlags=18]", "action=COUNT", "origin=ZEEK",
                "asker=asker", "rule=rule", "cookie=cookie");
        assertThat(RecordKeeper.kept().get(1)).contains("id=abcdef-4-1", "reason=IDLE", ":5004");
        assertThat(RecordKeeper.kept().get(2)).contains("id=abcdef-5-1", "reason=RECOVERED", ":5005");
        assertThat(Jmx.attribute("FlowTable", "ActiveFlows")).isEqualTo(0);
    }

    @Test
    void aTableWithoutANeededMemberIsRefusedAndStays() throws Exception {
        pinTableOf(text -> reordered(text).replaceAll("\\bgeneration\\b", "turn"), 2);
        refusedAndNothingChanged("fb_record", "generation");
    }

    @Test
    void aTableOfAnotherAbiNumberIsRefusedAndStays() throws Exception {
        pinTableOf(MigrationTest::reordered, 99);
        refusedAndNothingChanged("ABI 99", "ABI 2 only");
    }

    private void refusedAndNothingChanged(String... parts) throws Exception {
        writeSlot(3, 7, LIVE, LIVE);
        String before = contents();
        felix.migrate(true).launch();
        assertThat(felix.failure()).contains("cannot be migrated", "./flowbypass off").contains(parts).hasLineCount(1);
        assertThat(contents()).isEqualTo(before);
    }

    /** What is pinned, and the bytes of what would be moved. */
    private static String contents() throws IOException {
        StringBuilder all = new StringBuilder(pinned(ROOT).toString().replace("links, ", "").replace(", links", ""));
        for (String map : MOVED) {
            write(map, memory -> all.append(new BigInteger(bytes(memory)).toString(16)));
        }
        return all.toString();
    }

    private static byte[] bytes(ByteBuffer memory) {
        byte[] bytes = new byte[memory.capacity()];
        memory.get(0, bytes);
        return bytes;
    }

    private static List<String> pinned(Path directory) throws IOException {
        try (Stream<Path> pins = Files.list(directory)) {
            return pins.map(pin -> pin.getFileName().toString()).sorted().toList();
        }
    }
}
