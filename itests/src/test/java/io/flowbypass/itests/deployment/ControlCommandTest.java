// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.Sender;
import io.flowbypass.itests.lab.Shell;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** {@code ./flowbypass ctl} as a person uses it. */
class ControlCommandTest extends CommandLab {
    private static final String FROM = Lab.A + ":5000";
    private static final String TO = Lab.B + ":6000";

    private Outcome ctl(String... words) throws Exception {
        return end(start(Stream.concat(Stream.of("./flowbypass", "ctl"), Stream.of(words)).toArray(String[]::new)));
    }

    /** The commands that README shows. */
    private static List<String> shown() throws IOException {
        String page = Files.readString(Path.of("../README.md"));
        return GuideBundle.block(page.substring(page.indexOf("By hand and in scripts, without a JVM:")), "```\n").lines().toList();
    }

    private void says(int status, String part, String... words) throws Exception {
        Outcome outcome = ctl(words);
        assertThat(outcome.status()).as(List.of(words) + " " + outcome).isEqualTo(status);
        String all = outcome.out() + outcome.error();
        assertThat(all).as(String.join(" ", words)).contains(part);
        if (status != 0) {
            assertThat(outcome.error()).startsWith("flowbypass: ").hasLineCount(1);
        }
    }

    @Test
    void whatIsNotUnderstoodIsRefusedInASentence() throws Exception {
        says(2, "needs a command");
        says(2, "no command \"frob\"", "frob");
        says(2, "cut takes PROTOCOL SOURCE DESTINATION", "cut", "tcp");
        says(2, "ping takes no arguments", "ping", "pong");
        says(2, "\"10.0.0.1:http\" is no address and port", "cut", "tcp", "10.0.0.1:http", TO);
        says(2, "--ttl takes a whole number", "cut", "tcp", FROM, TO, "--ttl", "soon");
        says(2, "option ttl requires an argument", "cut", "tcp", FROM, TO, "--ttl");
        says(2, "unknown option: colour", "list", "--colour");
        says(3, "nobody answers at /run/flowbypass/ctl.sock", "ping");
        assertThat(ctl("--help").out()).contains("Usage: flowbypass ctl", "Exit status");
    }

    @Test
    void flowsAreCutFoundListedAndReleased() throws Exception {
        try (Lab lab = new Lab()) {
            Process run = start("sh", "-c", "exec ./flowbypass run -i " + lab.cableA() + " >run.log 2>&1");
            Jmx.eventually(() -> ctl("ping").status() == 0 && ctl("status").out().contains("native attached"), "it runs");
            String cookie = "a \"b\" \\n 'c'";
            says(0, "bypassed udp " + FROM + " " + TO, "cut", "udp", FROM, TO, "--cookie", cookie, "--ttl", "60",
                    "--origin", "zeek");
            says(0, "bypassed already", "cut", "udp", TO, FROM);
            Sender a = lab.senderA();
            a.send(5000, Lab.B, 6000, 100, 64);
            says(0, "UDP " + FROM + " > " + TO + ": forward 100 packets", "find", "udp", FROM, TO);
            Outcome found = ctl("find", "udp", FROM, TO);
            assertThat(found.out()).contains("asked by zeek root", "cookie " + cookie);
            assertThat(new ObjectMapper().readTree(ctl("find", "udp", FROM, TO, "--json").out()).path("flow").path("cookie")
                    .asText()).isEqualTo(cookie);
            says(0, "bypassed", "cut", "udp", "[" + Lab.A6 + "]:5000", "[" + Lab.B6 + "]:6000");
            says(1, "(portless)", "cut", "icmp", Lab.A, Lab.B);
            says(0, "bypassed", "cut", "icmp", Lab.A, Lab.B, "--host-pair");
            Outcome refused = end(start("sh", "-c", "exec ./flowbypass ctl cut \"tcp$(printf '\\033\\302\\2332J')\" "
                    + FROM + " " + TO));
            assertThat(refused.status()).isEqualTo(2);
            assertThat(refused.error()).contains("\"tcp\\u001B\\u009b2J\" is not known");
            says(2, "src_port is out of range", "cut", "udp", Lab.A + ":70000", TO);
            says(2, "src_port is missing", "cut", "udp", Lab.A, TO);
            says(1, "is not bypassed (not_found)", "find", "udp", Lab.A + ":5001", TO);

            Outcome page = ctl("list", "--limit", "2");
            assertThat(page.out()).hasLineCount(2);
            assertThat(page.error()).contains("--offset 2");
            assertThat(ctl("list", "--offset", "2").out()).hasLineCount(1);
            says(0, "table active_flows 3", "status");
            says(0, "paused", "pause");
            says(0, "paused true", "status");
            says(0, "cutting", "resume");
            says(0, "ended released: UDP " + FROM + " > " + TO + ": forward 100 packets", "release", "udp", FROM, TO);
            says(1, "is not bypassed", "release", "udp", FROM, TO);
            for (String line : shown()) {
                Outcome outcome = end(start("sh", "-c", "exec " + line));
                assertThat(outcome.status()).as(line + " " + outcome).isZero();
            }

            Shell.run("kill -9 " + said("run.log").replaceFirst("(?s).*jconsole (\\d+).*", "$1"));
            end(run);
            says(3, "nobody answers", "ping");
            assertThat(inside("ls /run/flowbypass/ctl.sock")).as("what a killed JVM leaves").isNotBlank();
            flowbypass("off");
            assertThat(leftBehind()).isEqualTo("[]");
        }
    }
}
