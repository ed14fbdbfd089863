// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.flowbypass.itests.lab.Shell;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** {@code ./flowbypass bench}. Not whether goals are met: machines differ. */
class BenchCommandTest extends CommandLab {
    private static final int QUICK_ENTRIES = 100_000;
    private static final String THEIR_TABLE = "/sys/fs/bpf/autocutoff/flow_table_v4";
    /** Some minutes on a machine that does other things too. */
    private static final Duration LIMIT = Duration.ofMinutes(10);

    @BeforeEach
    void copyTheBench() {
        Shell.run("mkdir -p " + directory + "/itests/bench && cp -r bench/target " + directory + "/itests/bench"
                + " && touch " + directory + "/itests/bench/target/built");
    }

    @Test
    void eachScenarioIsMeasuredAgainstItsGoalsAndNothingIsLeft() throws Exception {
        Outcome outcome = end(start("./flowbypass", "bench", "maps", "packet", "sweep", "churn", "wire", "ask", "exact",
                "--quick", "--json", "b.json"), LIMIT.toSeconds());
        assertThat(outcome.status()).as(outcome.toString()).isZero();
        assertThat(outcome.out()).contains("maps: entries 100,000", "lookup batch, Java", "lookup batch, C", "goal",
                "packet: flows 100,000", "IPv4 hit, hot, Flowbypass", "IPv4 hit, hot, classic");
        JsonNode report = new ObjectMapper().readTree(directory.resolve("b.json").toFile());
        assertThat(report.path("kernel").asText()).isEqualTo(System.getProperty("os.version"));
        assertThat(report.path("cpu").path("count").asInt()).isPositive();
        assertThat(report.path("libbpf").asText()).matches("\\d+\\.\\d+");
        assertThat(report.path("quick").asBoolean()).isTrue();
        Map<String, JsonNode> scenarios = new LinkedHashMap<>();
        report.path("scenarios").forEach(scenario -> scenarios.put(scenario.path("name").asText(), scenario));
        assertThat(scenarios).containsOnlyKeys("maps", "packet", "sweep", "churn", "wire", "ask", "exact");
        for (String name : scenarios.keySet()) {
            assertThat(directory.resolve("b-" + name + ".svg")).exists();
        }
        mapsAgainstC(scenarios.get("maps"));
        packetsAgainstTheClassicDesigns(scenarios.get("packet"));
        sweepsAndFlowsThatComeAndGo(scenarios.get("sweep"), scenarios.get("churn"));
        // A sensor gets what is not cut: the kernel may drop some of it before.
        assertThat(counted(scenarios.get("wire"), "seen by the sensor, 99 % cut")).isBetween(0.5, 1.01);
        assertThat(counted(scenarios.get("wire"), "seen by the sensor, 50 % cut")).isBetween(25.0, 50.1);
        fromAskingToTheFirstPacketThatIsCut(scenarios.get("ask"));
        assertThat(counted(scenarios.get("exact"), "lostByUs")).as(outcome.out()).isZero();
        assertThat(counted(scenarios.get("exact"), "lostByClassic")).isPositive();
        assertThat(leftBehind()).isEqualTo("[]");
    }

    private static void mapsAgainstC(JsonNode maps) {
        assertThat(maps.path("sizes").path("entries").asInt()).isEqualTo(QUICK_ENTRIES);
        assertThat(maps.path("figures")).hasSize(10).allSatisfy(figure -> isMeasured(figure, "ns/entry"));
        assertThat(maps.path("ratios")).allSatisfy(ratio -> assertThat(ratio.path("value").asDouble()).isPositive());
        assertThat(maps.path("ratios").findValuesAsText("name")).containsExactly("lookup batch", "safe walk FAIL",
                "safe walk RETRY_FROM_PREVIOUS", "safe walk CONTINUE", "drain", "fill");
        assertThat(maps.path("goals").findValuesAsText("name")).containsExactly("lookup batch", "safe walk FAIL",
                "safe walk RETRY_FROM_PREVIOUS", "safe walk CONTINUE", "drain");
        assertThat(maps.path("goals").findValues("limit")).extracting(JsonNode::asDouble)
                .isEqualTo(List.of(1.3, 1.5, 1.5, 1.5, 1.3));
        assertThat(maps.path("goals")).allSatisfy(goal -> assertThat(goal.path("met").asBoolean())
                .isEqualTo(goal.path("value").asDouble() <= goal.path("limit").asDouble()));
    }

    private void packetsAgainstTheClassicDesigns(JsonNode packet) throws IOException {
        assertThat(packet.path("figures")).hasSize(54).allSatisfy(figure -> isMeasured(figure, "ns/packet"));
        List<String> names = List.of("hit, hot", "hit, hot, to shared", "hit, hot, to spin lock", "miss, hot",
                "miss, hot, cut-off on to off", "hit, hot, pause on to off", "hit, hot, tagged, VLAN tracking on to off",
                "hit, 1,000 flows", "hit, 1,000 flows, to shared", "hit, 1,000 flows, to spin lock", "miss, 1,000 flows",
                "hit, random", "hit, random, to shared", "hit, random, to spin lock", "miss, random",
                "miss, random, cut-off on to off");
        assertThat(packet.path("ratios").findValuesAsText("name")).containsExactlyElementsOf(
                Stream.of("IPv4 ", "IPv6 ").flatMap(family -> names.stream().map(family::concat)).toList());
        assertThat(packet.path("goals").findValuesAsText("name")).containsExactly("IPv4 hit, hot", "IPv4 miss, hot",
                "IPv4 miss, hot, cut-off on to off", "IPv4 hit, random", "IPv4 miss, random",
                "IPv4 miss, random, cut-off on to off");
        assertThat(packet.path("goals").findValues("limit")).extracting(JsonNode::asDouble)
                .isEqualTo(List.of(0.6, 0.9, 2.5, 0.45, 0.4, 2.5));
        assertThat(Files.readString(directory.resolve("b-packet.svg"))).startsWith("<svg ").contains("IPv6 hit, random, classic");
    }

    private static void sweepsAndFlowsThatComeAndGo(JsonNode sweep, JsonNode churn) {
        assertThat(sweep.path("goals").findValuesAsText("name")).containsExactlyInAnyOrder(
                "100,000 flows: idle, to C scan", "100,000 flows: idle, to C walk by keys", "100,000 flows: sample, to C scan",
                "100,000 flows: sample, to C walk by keys", "all the time: of one CPU", "all the time: allocated by a sweep",
                "idle, a flow of 200,000 to one of 10,000");
        for (String part : List.of("decide", "unlink", "harvest")) {
            assertThat(counted(sweep, "100 % of 100,000 expired: " + part)).as(part).isPositive();
        }
        assertThat(churn.path("goals").findValuesAsText("name")).containsExactlyInAnyOrder(
                "bypass, to C update_batch", "bypass, 1 thread, p50", "bypass, 1 thread, p99", "kernel memory, Flowbypass");
        assertThat(counted(churn, "kernel memory, Flowbypass")).isBetween(288.0, 320.0);
    }

    @Test
    void theTablesOfOtherToolsAreMeasuredAndNothingIsLeftAndThatOfAToolThatWorksHereIsUntouched() throws Exception {
        inside("mkdir /sys/fs/bpf/autocutoff && bpftool map create " + THEIR_TABLE + " type percpu_hash key 16 value 24"
                + " entries 8 name theirs && bpftool map update pinned " + THEIR_TABLE
                + " key 240 0 0 0 192 0 2 1 156 64 1 187 6 0 0 0 value $(seq 24)");
        String before = inside("bpftool map dump pinned " + THEIR_TABLE);
        Outcome outcome = end(start("./flowbypass", "bench", "classic", "--quick", "--json", "b.json"), LIMIT.toSeconds());
        assertThat(outcome.status()).as(outcome.toString()).isZero();
        assertThat(outcome.out()).contains("classic: entries 100,000", "sweep in batches, C", "zeek hit, hot, own design");
        JsonNode classic = new ObjectMapper().readTree(directory.resolve("b.json").toFile()).path("scenarios").path(0);
        assertThat(classic.path("name").asText()).isEqualTo("classic");
        assertThat(classic.path("sizes").path("entries").asInt()).isEqualTo(QUICK_ENTRIES);
        assertThat(classic.path("figures")).hasSize(27);
        for (int i = 0; i < classic.path("figures").size(); i++) {
            isMeasured(classic.path("figures").path(i), i < 3 ? "ns/entry" : "ns/packet");
        }
        List<String> sweeps = List.of("sweep, to batches in C", "sweep, to keys in C");
        List<String> tools = List.of("libflowbypass ", "suricata ", "zeek ");
        assertThat(classic.path("ratios").findValuesAsText("name")).containsExactlyElementsOf(
                namesOf(sweeps, tools, List.of("hit, hot", "miss, to off and lookup", "hit, random")));
        assertThat(classic.path("goals").findValuesAsText("name")).containsExactlyElementsOf(
                namesOf(sweeps, tools, List.of("hit, hot", "miss, to off and lookup")));
        assertThat(classic.path("goals").findValues("limit")).extracting(JsonNode::asDouble)
                .isEqualTo(List.of(1.4, 0.5, 1.1, 1.0, 1.1, 1.0, 1.1, 1.0));
        assertThat(leftBehind()).isEqualTo("[]");
        assertThat(inside("find /sys/fs/bpf -mindepth 1 ! -name \"*.debug\"").lines())
                .containsExactlyInAnyOrder("/sys/fs/bpf/autocutoff", THEIR_TABLE);
        assertThat(inside("bpftool map dump pinned " + THEIR_TABLE)).isEqualTo(before).contains("value");
    }

    private static void fromAskingToTheFirstPacketThatIsCut(JsonNode ask) {
        for (String way : List.of("service", "socket")) {
            double p50 = counted(ask, way + ", p50");
            assertThat(p50).as(way).isPositive().isLessThanOrEqualTo(counted(ask, way + ", p99"));
        }
        assertThat(ask.path("goals").findValues("limit")).extracting(JsonNode::asDouble).isEqualTo(List.of(1000.0, 5000.0));
    }

    @Test
    void inChaosNothingIsLostAndNothingIsLeft() throws Exception {
        Outcome outcome = end(start("./flowbypass", "bench", "chaos", "--quick", "--seed", "4711", "--json", "b.json"),
                LIMIT.toSeconds());
        assertThat(outcome.status()).as(outcome.toString()).isZero();
        JsonNode chaos = new ObjectMapper().readTree(directory.resolve("b.json").toFile()).path("scenarios").path(0);
        assertThat(chaos.path("sizes").path("kills").asInt()).isEqualTo(10);
        assertThat(chaos.path("sizes").path("seed").asInt()).isEqualTo(4711);
        for (String phase : List.of("exact", "interrupted", "killed", "soak")) {
            for (String happens : List.of("cut", "released", "expired", "reopened by a SYN", "cut off by XDP")) {
                assertThat(counted(chaos, phase + ": " + happens)).as(phase + ": " + happens).isPositive();
            }
            for (String wrong : List.of("lost", "credited to another flow", "flows that are not exact",
                    "unaccounted by the ledger", "of flows that stay, passed", "SYNs cut")) {
                assertThat(counted(chaos, phase + ": " + wrong)).as(phase + ": " + wrong + ", " + outcome.out()).isZero();
            }
        }
        assertThat(counted(chaos, "killed: flows not adopted")).isZero();
        assertThat(counted(chaos, "soak: descriptors, more")).isNotPositive();
        assertThat(counted(chaos, "soak: threads, more")).isLessThanOrEqualTo(2);
        assertThat(counted(chaos, "soak: BPF memory, more")).isNotPositive();
        // The same looks at the classic design see what that loses.
        for (String classic : List.of("read-then-delete", "lookup-and-delete")) {
            assertThat(counted(chaos, classic + ": lost") + counted(chaos, classic + ": credited to another flow"))
                    .as(classic).isPositive();
        }
        assertThat(leftBehind()).isEqualTo("[]");
    }

    private static double counted(JsonNode scenario, String figure) {
        for (JsonNode each : scenario.path("figures")) {
            if (each.path("name").asText().equals(figure)) {
                return each.path("median").asDouble();
            }
        }
        throw new AssertionError("there is no figure " + figure);
    }

    private static List<String> namesOf(List<String> first, List<String> tools, List<String> ofEach) {
        return Stream.concat(first.stream(), tools.stream().flatMap(tool -> ofEach.stream().map(tool::concat))).toList();
    }

    @Test
    void nothingIsLeftOfABenchThatIsKilled() throws Exception {
        Process bench = start("./flowbypass", "bench", "packet");
        await().atMost(LIMIT).until(() -> said("out").contains("IPv4 miss, hot"));
        bench.destroyForcibly();
        await().atMost(LIMIT).untilAsserted(() -> assertThat(leftBehind()).isEqualTo("[]"));
    }

    @Test
    void nothingIsLeftOfABenchThatIsKilledWithTheFlowbypassThatItHadStarted() throws Exception {
        String cables = "ip -o link | sed -n \"s/.* \\(fb[0-9]*c\\)@.*/\\1/p\"";
        String before = inside(cables);
        Process bench = start("./flowbypass", "bench", "chaos", "--quick");
        await().atMost(LIMIT).until(() -> said("out").contains("chaos: killed"));
        assertThat(inside(cables)).isNotEqualTo(before);
        bench.destroyForcibly();
        await().atMost(LIMIT).untilAsserted(() -> {
            assertThat(leftBehind()).isEqualTo("[]");
            // Its other end is in a namespace, which is there as long as a process is in it.
            assertThat(inside(cables)).isEqualTo(before);
        });
    }

    private static void isMeasured(JsonNode figure, String unit) {
        assertThat(figure.path("repetitions")).as(figure.toString()).hasSize(3)
                .allSatisfy(repetition -> assertThat(repetition.asDouble()).isPositive());
        assertThat(figure.path("min").asDouble()).isPositive();
        assertThat(figure.path("median").asDouble()).isBetween(figure.path("min").asDouble(),
                figure.path("max").asDouble());
        assertThat(figure.path("unit").asText()).isEqualTo(unit);
    }

    @Test
    void anUnknownScenarioIsRefusedAndThoseThatThereAreAreNamed() throws Exception {
        refuses(flowbypass("bench", "nosuch", "--quick"), "no scenario \"nosuch\"", "maps");
        assertThat(leftBehind()).isEqualTo("[]");
    }
}
