// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.flowbypass.itests.lab.Capture;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.LogLines;
import io.flowbypass.itests.lab.Reaper;
import io.flowbypass.itests.lab.Root;
import io.flowbypass.itests.lab.Sender;
import io.flowbypass.itests.lab.Shell;
import io.flowbypass.itests.lab.Tap;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.service.event.EventAdmin;

/** The bundle records, in the distribution, with its listener durable as shipped. */
class FlowRecordsTest {
    private static final String PID = "io.flowbypass.records";
    /** Ethernet, IPv4 and UDP. */
    private static final int HEADERS = 14 + 20 + 8;
    private static final int FIRST_PORT = 10_000;

    @TempDir
    Path directory;
    private Distribution felix;
    private Reaper unmount;

    @BeforeEach
    void prepare() throws IOException {
        Root.required();
        felix = new Distribution(directory);
    }

    @AfterEach
    void close() throws Exception {
        try {
            if (felix != null) {
                felix.close();
            }
        } finally {
            if (unmount != null) {
                unmount.close();
            }
        }
    }

    private List<JsonNode> records(String event, int port) throws IOException {
        return RecordLines.of(felix.records(), event, port);
    }

    private static void bypass(int from, int count) {
        for (int port = from; port < from + count; port++) {
            Jmx.invoke("FlowTable", "bypass", "UDP", Lab.A, port, Lab.B, 6000);
        }
    }

    private static JsonNode bypassed(JsonNode record) {
        return record.get("flow").get("bypassed");
    }

    /** That the records of flows from a port on are whole, one for each of so many flows, and of no other. */
    private static void thereIsOneOfEach(List<JsonNode> ended, int from, int count) {
        Set<Integer> ports = new HashSet<>();
        Set<String> ids = new HashSet<>();
        for (JsonNode record : ended) {
            assertThat(ports.add(record.get("src_port").asInt())).as("a second record: " + record).isTrue();
            assertThat(ids.add(record.get("id").asText())).as("an id that there was: " + record).isTrue();
        }
        assertThat(ports).hasSize(count).allMatch(port -> port >= from && port < from + count);
    }

    @Test
    void whatTheMonitorSawAndTheRecordsAreWhatWasOnTheWireInPacketsAndBytes() throws Exception {
        felix.configure(PID, "update.seconds", "1");
        felix.start();
        try (Tap tap = new Tap(); Sender a = tap.senderA(); Sender b = tap.senderB(); Capture wire = tap.wire();
                Capture monitor = tap.monitor()) {
            Jmx.invoke("Xdp", "attach", tap.cable(), "native");
            b.receive(6000);
            a.receive(5002);
            a.send(5000, Lab.B, 6000, 10, 100);
            b.send(6002, Lab.A, 5002, 10, 100);
            b.listen(6001);
            a.connect(5001, Lab.B, 6001);
            a.talk(5);
            Jmx.eventually(() -> monitor.seen(5000, 6000) == 10 && monitor.seen(6002, 5002) == 10, "the monitor sees all");
            Jmx.invoke("FlowTable", "bypass", "UDP", Lab.A, 5000, Lab.B, 6000);
            Jmx.invoke("FlowTable", "bypass", "TCP", Lab.A, 5001, Lab.B, 6001);
            Jmx.invoke("FlowTable", "bypass", "UDP", Lab.A, 5002, Lab.B, 6002);
            Jmx.eventually(() -> records("start", 5000).size() == 1, "it begins");
            a.send(5000, Lab.B, 6000, 70, 64);
            a.send(5000, Lab.B, 6000, 7, 1400);
            b.send(6002, Lab.A, 5002, 30, 500);
            a.talk(20);
            Jmx.eventually(() -> records("update", 5000).stream()
                    .anyMatch(record -> bypassed(record).get("pkts_toserver").asLong() == 77), "it goes on");
            a.abort();
            Jmx.setAttribute("Policy,name=idle", "UdpSeconds", 1);
            Jmx.setAttribute("Policy,name=tcp", "ResetSeconds", 1);
            Jmx.eventually(() -> RecordLines.of(felix.records(), "end").size() == 3, "all end");

            JsonNode udp = records("end", 5000).get(0);
            assertThat(bypassed(udp)).hasToString("{\"pkts_toserver\":77,\"pkts_toclient\":0,\"bytes_toserver\":"
                    + (70 * (HEADERS + 64) + 7 * (HEADERS + 1400)) + ",\"bytes_toclient\":0}");
            JsonNode answers = records("end", 5002).get(0);
            assertThat(bypassed(answers)).hasToString("{\"pkts_toserver\":0,\"pkts_toclient\":30,\"bytes_toserver\":0,"
                    + "\"bytes_toclient\":" + 30 * (HEADERS + 500) + "}");
            JsonNode tcp = records("end", 5001).get(0);
            addUp(wire, monitor, udp, 5000, 6000);
            addUp(wire, monitor, answers, 5002, 6002);
            addUp(wire, monitor, tcp, 5001, 6001);
            assertThat(bypassed(tcp).get("pkts_toserver").asLong()).isGreaterThanOrEqualTo(20);

            // printf '\0\0\012M\0\001\012M\0\002\021\0\023\210\027p' | openssl sha1 -binary | base64
            assertThat(udp.get("community_id").asText()).isEqualTo("1:HuhUx2VbiNauHhIwS2sdAN7psxY=");
            assertThat(List.of(udp.get("event_type").asText(), udp.get("in_iface").asText(), udp.get("src_ip").asText(),
                    udp.get("dest_ip").asText(), udp.get("proto").asText(), udp.get("origin").asText(),
                    udp.get("asker").asText(), udp.get("reason").asText(), udp.get("policy").asText(),
                    udp.get("host").asText()))
                    .containsExactly("flowbypass", tap.cable(), Lab.A, Lab.B, "UDP", "manual", "jmx", "idle", "idle",
                            Files.readString(Path.of("/proc/sys/kernel/hostname")).strip());
            assertThat(tcp.get("reason").asText()).isEqualTo("tcp_reset");
            assertThat(records("start", 5000)).as("records of its beginning").hasSize(1);
            assertThat(Jmx.attribute("FlowTable", "UnaccountedPackets")).isEqualTo(0L);
        }
    }

    private static void addUp(Capture wire, Capture monitor, JsonNode record, int from, int to) {
        JsonNode counts = bypassed(record);
        Jmx.eventually(() -> wire.seen(from, to) == monitor.seen(from, to) + counts.get("pkts_toserver").asLong()
                && wire.seen(to, from) == monitor.seen(to, from) + counts.get("pkts_toclient").asLong(), "packets add up");
        assertThat(monitor.bytes(from, to) + counts.get("bytes_toserver").asLong()).isEqualTo(wire.bytes(from, to));
        assertThat(monitor.bytes(to, from) + counts.get("bytes_toclient").asLong()).isEqualTo(wire.bytes(to, from));
    }

    @Test
    void aFullDiskLosesNothingAndIsSaidOnceAndSoIsThatThereIsRoomAgain() throws Exception {
        int flows = 500;
        Path disk = Files.createDirectory(directory.resolve("disk"));
        Path file = disk.resolve("flows.json");
        unmount = new Reaper("umount -l " + disk);
        try (LogLines log = new LogLines("io.flowbypass")) {
            Shell.run("mount -t tmpfs -o size=512k tmpfs " + disk);
            felix.configure(PID, "file", file.toString());
            felix.start();
            bypass(FIRST_PORT, flows);
            Jmx.eventually(() -> RecordLines.of(file, "start").size() == flows, "each has begun");
            // Room for some records, and not for a whole number of them.
            long room = 90_000;
            Shell.run("truncate -s 0 " + file + " && head -c " + ((512 << 10) - room) + " /dev/zero >" + disk + "/fill");
            Jmx.invoke("FlowTable", "flush");
            Jmx.eventually(() -> lines(log, "did not take") == 1, "it takes no more");
            List<JsonNode> meanwhile = RecordLines.of(file, "end");
            assertThat(meanwhile).as("records that had room").hasSizeBetween(1, flows - 1);
            Shell.run("head -c 1000000 /dev/zero >>" + disk + "/fill 2>/dev/null || true");
            Set<Object> attempts = new HashSet<>();
            Jmx.eventually(() -> attempts.add(Files.getLastModifiedTime(file)) && attempts.size() > 3, "it tries again");
            assertThat(RecordLines.of(file, "end")).isEqualTo(meanwhile);
            Jmx.eventually(() -> RecordLines.areWhole(file), "no part of a line stays");
            assertThat((Double) Jmx.attribute("FlowTable", "Occupancy")).as("percent, of flows that keep their slots")
                    .isGreaterThanOrEqualTo(100.0 * (flows - meanwhile.size()) / 4096);

            Shell.run("rm " + disk + "/fill");
            Jmx.eventually(() -> RecordLines.of(file, "end").size() >= flows, "there is room again");
            thereIsOneOfEach(RecordLines.of(file, "end"), FIRST_PORT, flows);
            Jmx.eventually(() -> (Double) Jmx.attribute("FlowTable", "Occupancy") == 0, "the slots are free");
            assertThat(log.lines().stream().filter(line -> line.contains(file.toString())).toList()).hasSize(2)
                    .satisfiesExactly(full -> assertThat(full).contains("cannot be written", "No space left on device"),
                            well -> assertThat(well).contains("are written to " + file + " again"));
            assertThat(lines(log, "did not take")).isEqualTo(1);
        }
    }

    @Test
    void noRecordIsLostWhileFilesAreRotatedByItAndByOthersUnderLoad() throws Exception {
        int rounds = 12;
        int flows = 300;
        felix.configure(PID, "rotate.bytes", "65536");
        felix.configure(PID, "kept.files", "1000");
        felix.start();
        for (int round = 0; round < rounds; round++) {
            bypass(FIRST_PORT + round * flows, flows);
            Jmx.invoke("FlowTable", "flush");
            if (round % 4 == 3) {
                Path moved = felix.records().resolveSibling("flows.json-" + round);
                Jmx.eventually(() -> movedTo(moved), "somebody else renames the file");
            }
        }
        Jmx.eventually(() -> (Double) Jmx.attribute("FlowTable", "Occupancy") == 0, "all records are taken");
        thereIsOneOfEach(RecordLines.of(felix.records(), "end"), FIRST_PORT, rounds * flows);
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files.filter(file -> file.getFileName().toString().matches("flows.json[.]\\d+")))
                    .hasSizeGreaterThan(15).allSatisfy(file -> assertThat(Files.size(file)).isLessThanOrEqualTo(65536));
        }
    }

    /** In the middle of a rotation it is not there. */
    private boolean movedTo(Path place) throws IOException {
        try {
            Files.move(felix.records(), place);
            return true;
        } catch (NoSuchFileException rotated) {
            return false;
        }
    }

    @Test
    void recordsAreEventsOnceThatIsSwitchedOnWithAnEventAdminThatCameLater() throws Exception {
        RecordEvents.forget();
        felix.start();
        Path jar = Path.of(EventAdmin.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        try (InputStream eventAdmin = Files.newInputStream(jar)) {
            felix.install("eventadmin", eventAdmin);
        }
        felix.install("events", "org.osgi.service.event,org.osgi.framework", RecordEvents.class);
        int port = FIRST_PORT;
        end(port);
        assertThat(RecordEvents.kept()).as("events, while that is off").isEmpty();

        felix.configure(PID, "events.enabled", "true");
        for (; RecordEvents.kept().isEmpty() && port < FIRST_PORT + 1000; port++) {
            end(port + 1);
        }
        String event = RecordEvents.kept().stream().filter(each -> each.startsWith("io/flowbypass/record/END")).findFirst()
                .orElseThrow();
        String id = event.replaceFirst(".*[{ ]id=([^,]*),.*", "$1");
        JsonNode same = RecordLines.of(felix.records(), "end").stream()
                .filter(record -> record.get("id").asText().equals(id)).findFirst().orElseThrow();
        assertThat(event).contains("event_type=flowbypass,", "flow.bypassed.pkts_toserver=0,", "src_ip=" + Lab.A + ",",
                "src_port=" + same.get("src_port") + ",", "timestamp=" + same.get("timestamp").asText() + "}");

        bypass(port, 1);
        Jmx.eventually(() -> RecordEvents.kept().stream().anyMatch(each -> each.startsWith("io/flowbypass/record/START")),
                "a flow that begins is one too");
    }

    private void end(int port) {
        bypass(port, 1);
        Jmx.invoke("FlowTable", "release", "UDP", Lab.A, port, Lab.B, 6000);
        Jmx.eventually(() -> records("end", port).size() == 1, "its record is there");
    }

    @Test
    void aBadValueIsRefusedInASentenceAndWhileTheBundleIsStoppedRecordsWaitForIt() throws Exception {
        try (LogLines log = new LogLines("io.flowbypass")) {
            felix.start();
            felix.configure(PID, "rotate.bytes", "abc");
            Jmx.eventually(() -> lines(log, "rotate.bytes in io.flowbypass.records is not a whole") == 1, "no number");
            felix.configure(PID, "kept.files", "0");
            Jmx.eventually(() -> lines(log, "kept.files = 0 in io.flowbypass.records is out of range: set 1 to 1000") == 1,
                    "out of its bounds");
            end(FIRST_PORT);

            felix.stop(PID);
            bypass(FIRST_PORT + 1, 1);
            Jmx.invoke("FlowTable", "release", "UDP", Lab.A, FIRST_PORT + 1, Lab.B, 6000);
            assertThat((Double) Jmx.attribute("FlowTable", "Occupancy")).as("percent, of one that has ended").isPositive();
            felix.start(PID);
            Jmx.eventually(() -> records("end", FIRST_PORT + 1).size() == 1, "its record is there");
            Jmx.eventually(() -> (Double) Jmx.attribute("FlowTable", "Occupancy") == 0, "and its slot is free");
        }
    }

    private static long lines(LogLines log, String part) {
        return log.lines().stream().filter(line -> line.contains(part)).count();
    }
}
