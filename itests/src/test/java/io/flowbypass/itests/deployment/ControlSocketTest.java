// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.flowbypass.itests.lab.Capture;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.Reaper;
import io.flowbypass.itests.lab.Root;
import io.flowbypass.itests.lab.Sender;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A monitor of this machine asks over the control socket. */
class ControlSocketTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int PAYLOAD = 64;

    @TempDir
    Path directory;
    private Distribution felix;
    private ControlClient client;

    @BeforeEach
    void start() throws Exception {
        Root.required();
        felix = new Distribution(directory);
        felix.configure("io.flowbypass.table", "never.cut", "203.0.113.0/24 udp/53");
        felix.start();
        connect();
    }

    @AfterEach
    void takeDown() throws Exception {
        if (felix == null) {
            return;
        }
        try {
            if (client != null) {
                client.close();
            }
        } finally {
            felix.close();
        }
        assertThat(felix.controlSocket()).doesNotExist();
    }

    private void connect() throws IOException {
        Jmx.eventually(() -> Files.exists(felix.controlSocket()), "the socket is there");
        client = new ControlClient(felix.controlSocket());
    }

    private JsonNode ask(String line) throws IOException {
        return JSON.readTree(client.ask(line));
    }

    private static String udp(String op, int sourcePort, String more) {
        return ControlClient.udp(op, Lab.A, sourcePort, Lab.B, 6000, more);
    }

    private void refuses(String line, String error) throws IOException {
        JsonNode answer = ask(line);
        assertThat(answer.path("ok").asBoolean(true)).as(line + " " + answer).isFalse();
        assertThat(answer.path("error").asText()).as(line + " " + answer).isEqualTo(error);
        assertThat(answer.path("message").asText()).isNotBlank();
    }

    @Test
    void whatItAsksForIsCutAtOnceAlsoWhileTheSocketIsGoneAndIsReleasedWithExactCounts() throws Exception {
        try (Lab lab = new Lab()) {
            Jmx.invoke("Xdp", "attach", lab.cableA(), "native");
            Sender a = lab.senderA();
            Capture behind = lab.capture(lab.cableA());
            a.send(5000, Lab.B, 6000, 10, PAYLOAD);
            Jmx.eventually(() -> behind.seen(5000, 6000) == 10, "it is seen before");

            JsonNode cut = ask(udp("cut", 5000, ",\"id\":1,\"origin\":\"zeek\",\"rule\":\"elephant\","
                    + "\"cookie\":\"CHhA\",\"ttl\":600"));
            assertThat(cut).isEqualTo(JSON.readTree("{\"id\":1,\"ok\":true,\"added\":true}"));
            a.send(5000, Lab.B, 6000, 500, PAYLOAD);
            JsonNode flow = ask(udp("find", 5000, "")).path("flow");
            assertThat(flow.path("pkts_toserver").asInt()).isEqualTo(500);
            assertThat(flow.path("asker").asText()).isEqualTo("root");
            assertThat(flow.path("origin").asText()).isEqualTo("zeek");
            assertThat(flow.path("cookie").asText()).isEqualTo("CHhA");

            felix.stop("io.flowbypass.control");
            assertThat(felix.controlSocket()).doesNotExist();
            a.send(5000, Lab.B, 6000, 300, PAYLOAD);
            felix.start("io.flowbypass.control");
            connect();
            felix.stop("io.flowbypass.table");
            assertThat(felix.controlSocket()).as("without a table there is nothing to ask").doesNotExist();
            a.send(5000, Lab.B, 6000, 200, PAYLOAD);
            felix.start("io.flowbypass.table");
            connect();

            assertThat(ask("{\"op\":\"pause\"}").path("ok").asBoolean()).isTrue();
            a.send(5000, Lab.B, 6000, 7, PAYLOAD);
            Jmx.eventually(() -> behind.seen(5000, 6000) == 17, "all is seen while it is paused, and nothing was before");
            ask("{\"op\":\"resume\"}");
            a.send(5000, Lab.B, 6000, 100, PAYLOAD);
            JsonNode released = ask(udp("release", 5000, ",\"id\":9"));
            assertThat(released.path("id").asInt()).isEqualTo(9);
            assertThat(released.path("flow").path("reason").asText()).isEqualTo("released");
            assertThat(released.path("flow").path("pkts_toserver").asInt()).isEqualTo(1100);
            assertThat(released.path("flow").path("rule").asText()).isEqualTo("elephant");
            a.send(5000, Lab.B, 6000, 5, PAYLOAD);
            Jmx.eventually(() -> behind.seen(5000, 6000) == 22, "it is seen again");
            assertThat(Jmx.attribute("FlowTable", "UnaccountedPackets")).isEqualTo(0L);
        }
    }

    @Test
    void whatIsRefusedIsNamedAndTheConnectionGoesOn() throws Exception {
        refuses(ControlClient.udp("cut", Lab.A, 5000, "203.0.113.9", 53, ""), "never_cut");
        refuses("{\"op\":\"cut\",\"proto\":\"GRE\",\"src_ip\":\"" + Lab.A + "\",\"dest_ip\":\"" + Lab.B + "\"}", "portless");
        refuses(udp("cut", 70000, ""), "bad_request");
        refuses(udp("cut", 5000, ",\"host_pair\":true"), "bad_request");
        refuses(udp("cut", 5000, ",\"vlan\":5"), "bad_request");
        refuses(ControlClient.udp("cut", "10.0.0.256", 5000, Lab.B, 6000, ""), "bad_request");
        refuses("{\"op\":\"cut\"}", "bad_request");
        refuses("{\"op\":\"frob\"}", "bad_request");
        refuses("[".repeat(3000), "bad_request");
        refuses("{\"op\":\"ping\",\"id\":" + "1".repeat(3000) + "}", "bad_request");
        refuses("x".repeat(1_000_000), "bad_request");
        refuses("\0", "bad_request");
        refuses(udp("find", 5000, ""), "not_found");
        refuses(udp("release", 5000, ""), "not_found");
        JsonNode refused = ask("{\"op\":\"status\"}").path("control").path("refused");
        assertThat(refused.path("never_cut").asInt()).isEqualTo(1);
        assertThat(refused.path("portless").asInt()).isEqualTo(1);
        assertThat(refused.path("bad_request").asInt()).isEqualTo(10);
        assertThat(refused.path("not_found").asInt()).isEqualTo(2);
    }

    @Test
    void oneOriginFillsItsShareOfTheTableAndNoMore() throws Exception {
        List<String> cuts = IntStream.rangeClosed(1, 4000)
                .mapToObj(port -> udp("cut", port, ",\"origin\":\"zeek\",\"id\":" + port)).toList();
        List<String> answers = client.ask(cuts);
        // 80 % of 4096.
        for (int i = 0; i < answers.size(); i++) {
            assertThat(answers.get(i)).startsWith("{\"id\":" + (i + 1) + ",")
                    .contains(i < 3276 ? "\"added\":true" : "table_full");
        }
        JsonNode status = ask("{\"op\":\"status\"}");
        assertThat(status.path("table").path("active_zeek").asInt()).isEqualTo(3276);
        assertThat(status.path("control").path("refused").path("share").asInt()).isEqualTo(724);
        assertThat(ask(udp("cut", 5000, "")).path("added").asBoolean()).as("another origin").isTrue();

        Set<Integer> ports = new HashSet<>();
        for (int offset = 0; offset < 4000; offset += 1000) {
            JsonNode page = ask("{\"op\":\"list\",\"offset\":" + offset + ",\"limit\":1000}");
            page.path("flows").forEach(flow -> ports.add(flow.path("src_port").asInt()));
            assertThat(page.path("more").asBoolean()).isEqualTo(offset < 3000);
        }
        assertThat(ports).hasSize(3277);

        List<String> releases = IntStream.rangeClosed(1, 3276).mapToObj(port -> udp("release", port, "")).toList();
        assertThat(client.ask(releases)).allMatch(answer -> answer.contains("\"reason\":\"released\""));
        assertThat(ask(udp("cut", 1, ",\"origin\":\"zeek\"")).path("added").asBoolean()).isTrue();
    }

    @Test
    void oneOriginHasItsCutsInASecondAndNoMoreAndThatIsTuned() throws Exception {
        felix.configure("io.flowbypass.control", "cuts.per.second", "10");
        Jmx.eventually(() -> ask(udp("cut", 1, "")).path("error").asText().equals("rate"), "the rate is in force");
        List<String> answers = client.ask(Collections.nCopies(1000, udp("cut", 2, ",\"origin\":\"suricata\"")));
        assertThat(answers).filteredOn(answer -> answer.contains("\"ok\":true")).hasSizeBetween(10, 100);
        assertThat(answers).filteredOn(answer -> answer.contains("\"error\":\"rate\"")).hasSizeBetween(900, 990);
    }

    @Test
    void membersOfTheGroupAskAndAreNamedAndNobodyElse() throws Exception {
        Path place = Path.of("/run/flowbypass-itests-" + ProcessHandle.current().pid());
        Path socket = place.resolve("ctl.sock");
        Reaper reaper = new Reaper("rm -rf " + place);
        try {
            felix.configure("io.flowbypass.control", "socket.path", socket.toString());
            Jmx.eventually(() -> Files.exists(socket) && !Files.exists(felix.controlSocket()), "the socket has moved");
            assertThat(ask("{\"op\":\"ping\"}").path("ok").asBoolean()).as("who was connected").isTrue();
            assertThat(asNobody(socket, "ping")).startsWith("3 ").contains("you may not ask", "socket.group");
            String group = Files.readAttributes(socket, PosixFileAttributes.class).group().getName();
            felix.configure("io.flowbypass.control", "socket.group", "nogroup");
            Jmx.eventually(() -> !Files.readAttributes(socket, PosixFileAttributes.class).group().getName()
                    .equals(group), "it has its group");
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket))).isEqualTo("rw-rw----");
            assertThat(asNobody(socket, "cut", "udp", Lab.A + ":5000", Lab.B + ":6000")).startsWith("0 bypassed udp");
            assertThat(ask(udp("find", 5000, "")).path("flow").path("asker").asText()).isEqualTo("nobody");
            assertThatThrownBy(() -> new ControlClient(felix.controlSocket())).isInstanceOf(IOException.class);
            felix.configure("io.flowbypass.control", "socket.path", felix.controlSocket().toString());
            Jmx.eventually(() -> Files.exists(felix.controlSocket()) && !Files.exists(socket), "it is back");
        } finally {
            reaper.close();
        }
    }

    /** What the client says when that user runs it, behind its exit status. */
    private String asNobody(Path socket, String... arguments) throws Exception {
        List<String> line = new ArrayList<>(List.of("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
                "perl", "-"));
        line.addAll(List.of(arguments));
        line.addAll(List.of("--socket", socket.toString()));
        Process process = new ProcessBuilder(line).redirectErrorStream(true)
                .redirectInput(Distribution.controlClient().toFile()).start();
        String said = new String(process.getInputStream().readAllBytes());
        return process.waitFor() + " " + said;
    }
}
