// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.Root;
import io.flowbypass.itests.lab.Sender;
import io.flowbypass.itests.lab.Tap;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands as a person types them, in the distribution, by its shell. */
class ShellTest {
    private static final String FLOW = "UDP " + Lab.A + " 5000 " + Lab.B + " 6000";
    private static final List<String> COMMANDS = List.of("flow:bypass", "flow:release", "flow:find", "flow:list", "flow:top",
            "flow:flush", "policy:list", "policy:select", "policy:compare", "xdp:status", "xdp:attach", "xdp:detach",
            "xdp:pause", "xdp:resume", "never-cut:add", "never-cut:remove", "never-cut:list");
    private static final long LIMIT_SECONDS = 60;

    @TempDir
    Path directory;
    private Distribution felix;

    /** How a command ended. */
    private record Outcome(int status, String out, String error) {
    }

    @BeforeEach
    void start() throws Exception {
        Root.required();
        felix = new Distribution(directory).start();
        Jmx.eventually(() -> Files.exists(felix.shellSocket()) && type("help").out.contains("xdp:status"),
                "the shell is there");
    }

    @AfterEach
    void stop() throws Exception {
        if (felix != null) {
            felix.close();
        }
    }

    private ProcessBuilder shell(String... typed) {
        List<String> line = new ArrayList<>(List.of("bash",
                Distribution.jar("any").resolveSibling("../bin/shell").normalize().toString(),
                felix.shellSocket().toString()));
        line.addAll(List.of(typed));
        return new ProcessBuilder(line).redirectOutput(directory.resolve("out").toFile())
                .redirectError(directory.resolve("error").toFile());
    }

    private Outcome type(String... typed) throws Exception {
        return end(shell(typed).start());
    }

    private Outcome end(Process process) throws Exception {
        process.outputWriter().close();
        assertThat(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)).as("it ends").isTrue();
        return new Outcome(process.exitValue(), said("out"), said("error"));
    }

    private String said(String name) throws IOException {
        return Files.readString(directory.resolve(name));
    }

    private String works(String... typed) throws Exception {
        Outcome outcome = type(typed);
        assertThat(outcome.status).as(outcome.toString()).isZero();
        return outcome.out;
    }

    private JsonNode json(String command) throws Exception {
        return new ObjectMapper().readTree(works(command + " --json"));
    }

    private void refuses(String command, String... parts) throws Exception {
        Outcome outcome = type(command);
        assertThat(outcome.status).as(outcome.toString()).isEqualTo(1);
        assertThat(outcome.out).isEmpty();
        assertThat(outcome.error.lines()).as("no stack trace").hasSize(1);
        assertThat(outcome.error).contains(parts);
    }

    @Test
    void trafficIsCutPausedAndReleasedByTyping() throws Exception {
        try (Tap tap = new Tap(); Sender a = tap.senderA(); Sender b = tap.senderB()) {
            b.receive(6000);
            assertThat(works("xdp:attach", tap.cable(), "--mode", "native"))
                    .startsWith(tap.cable() + " is attached in native");
            assertThat(json("xdp:status").at("/interfaces/0/name").asText()).isEqualTo(tap.cable());
            refuses("xdp:attach " + tap.cable(), "configured already");
            assertThat(works("flow:bypass " + FLOW)).isEqualTo("bypassed UDP 10.77.0.1:5000 > 10.77.0.2:6000\n");
            assertThat(works("flow:bypass", FLOW)).startsWith("already bypassed");
            works("flow:bypass " + FLOW.replace("6000", "6001"));
            a.send(5000, Lab.B, 6000, 50, 100);
            Jmx.eventually(() -> json("flow:find " + FLOW).get("pkts_toserver").asInt() == 50, "XDP cuts");
            JsonNode largest = json("flow:list --sort bytes --limit 1");
            assertThat(largest).hasSize(1);
            assertThat(largest.at("/0/dest_port").asInt()).isEqualTo(6000);
            assertThat(works("flow:list --port 6001")).contains(":6001").doesNotContain(":6000 ").contains("manual shell");
            assertThat(works("flow:list --limit 1")).contains("there are more: --offset 1");
            assertThat(works("flow:top --count 2 --limit 1").lines().filter(line -> line.startsWith("2 of 4096 flows")))
                    .hasSize(2);
            assertThat(works("xdp:pause")).startsWith("paused");
            assertThat(Jmx.attribute("Xdp", "Paused")).isEqualTo(true);
            a.send(5000, Lab.B, 6000, 10, 100);
            Jmx.eventually(() -> json("xdp:status").at("/verdicts/PASSED_PAUSED/packets").asInt() == 10, "XDP passes");
            assertThat(works("xdp:resume")).startsWith("resumed");
            JsonNode record = json("flow:release " + FLOW);
            assertThat(record.get("reason").asText()).isEqualTo("released");
            assertThat(record.get("pkts_toserver").asInt()).isEqualTo(50);
            assertThat(works("flow:find " + FLOW)).startsWith("not bypassed");
            assertThat(works("flow:flush")).isEqualTo("took 1 flow out of the bypass\n");
            assertThat(works("xdp:detach " + tap.cable())).startsWith(tap.cable() + " is detached");
            assertThat(works("xdp:status")).contains("no interface is attached");
        }
    }

    @Test
    void whatReadmeShowsCanBeTyped() throws Exception {
        String page = Files.readString(Path.of("../README.md"));
        String table = page.substring(page.indexOf("The same by typing"), page.indexOf("Each takes `--help`"));
        List<String> shown = Pattern.compile("`([a-z-]+:[^`]+)`").matcher(table).results().map(each -> each.group(1))
                .toList();
        assertThat(shown).extracting(line -> line.split(" ")[0]).containsExactlyInAnyOrderElementsOf(COMMANDS);
        String flow = shown.get(0).replace("flow:bypass", "");
        try (Tap tap = new Tap()) {
            for (String line : shown) {
                works(switch (line) {
                    case "flow:find", "flow:release" -> line + flow;
                    case "flow:top" -> line + " --count 1";
                    case "never-cut:remove" -> line + " 192.0.2.0/24 tcp/22";
                    default -> line.replace("eth1", tap.cable());
                });
            }
        }
    }

    @Test
    void policiesAndTheNeverCutListAreChangedByTypingAndStayInTheirFiles() throws Exception {
        assertThat(works("policy:list")).isEqualTo("1  tcp\n2  lifetime\n3  adaptive\n4  idle\n");
        assertThat(works("policy:select idle tcp")).isEqualTo("asked are now idle, tcp\n");
        assertThat(felix.configuration("io.flowbypass.expiry")).containsPattern("active.policies *= *idle,tcp\n");
        assertThat(works("policy:list")).contains("2  tcp\n").contains("-  adaptive\n");
        assertThat(works("policy:compare lifetime")).isEqualTo("0 differences\n");
        assertThat(json("policy:compare lifetime --limit 5")).isEmpty();
        works("policy:select --all");
        assertThat(json("policy:list").get("active")).hasSize(4);
        works("flow:bypass TCP 203.0.113.1 1000 203.0.113.2 22");
        assertThat(works("never-cut:add 203.0.113.0/24 tcp/22"))
                .isEqualTo("203.0.113.0/24 tcp/22 is never cut from now on\n");
        assertThat(works("flow:list").lines()).as("the bypass of what it names ends").hasSize(1);
        assertThat(felix.configuration("io.flowbypass.table")).containsPattern("never.cut *= *203.0.113.0/24 tcp/22\n");
        refuses("flow:bypass TCP 203.0.113.1 1000 203.0.113.2 22", "never cut");
        assertThat(works("never-cut:list")).startsWith("203.0.113.0/24 tcp/22\n").contains("127.0.0.1 (this machine's own)");
        assertThat(works("never-cut:remove 203.0.113.9/24 TCP/22")).contains("may be cut");
        assertThat(json("never-cut:list").get("entries")).isEmpty();
        works("flow:bypass TCP 203.0.113.1 1000 203.0.113.2 22");
    }

    @Test
    void mistakesAreToldInALineAndHelpSaysHowEachCommandIsUsed() throws Exception {
        refuses("flow:bypass TCP 192.0.2.1 70000 192.0.2.2 443", "source port \"70000\"", "0 to 65535");
        refuses("flow:bypass TCP 192.0.2.1", "usage: flow:bypass PROTOCOL");
        refuses("flow:list --sort size", "bytes, packets");
        refuses("flow:frobnicate", "flow:frobnicate");
        refuses("policy:select nosuch", "nosuch", "idle");
        refuses("policy:compare nosuch", "nosuch", "idle");
        refuses("xdp:attach nosuch0", "nosuch0");
        refuses("xdp:attach lo --mode turbo", "turbo");
        refuses("xdp:detach nosuch0", "nosuch0");
        refuses("never-cut:add 192.0.2.0/33", "33");
        for (String command : COMMANDS) {
            assertThat(works(command + " --help")).contains("usage: " + command);
            assertThat(works("help " + command)).contains("scope: " + command.split(":")[0]);
        }
    }

    @Test
    void linesOfAScriptAreCarriedOutOneAfterTheOther() throws Exception {
        Process script = shell().start();
        script.outputWriter().append("flow:bypass ").append(FLOW).append("\nflow:flush\n");
        Outcome outcome = end(script);
        assertThat(outcome.out).isEqualTo("bypassed UDP 10.77.0.1:5000 > 10.77.0.2:6000\ntook 1 flow out of the bypass\n");
        assertThat(outcome.status).isZero();
    }

    @Test
    void aCommandWhoseClientIsGoneEndsAndTheSocketIsForItsUserAlone() throws Exception {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(felix.shellSocket()))).isEqualTo("rw-------");
        Process top = shell("flow:top").start();
        Jmx.eventually(() -> said("out").contains("of 4096 flows"), "it shows");
        assertThat(sessions()).isPositive();
        top.destroyForcibly().waitFor();
        Jmx.eventually(() -> sessions() == 0, "the command ends");
        felix.stop("io.flowbypass.shell");
        assertThat(felix.shellSocket()).doesNotExist();
    }

    private static long sessions() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("flowbypass-shell")).count();
    }
}
