// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.itests.lab.Root;
import io.flowbypass.itests.lab.Shell;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/**
 * The script in a copy of what was built and in a mount namespace of its own: its pins and run directories are private, and
 * a Flowbypass that works on this machine stays untouched.
 */
abstract class CommandLab {
    private static final long LIMIT_SECONDS = 120;

    @TempDir
    Path directory;
    private Process namespace;
    private final List<Process> started = new ArrayList<>();

    @BeforeEach
    void copyWhatWasBuilt() throws Exception {
        Root.required();
        Shell.run("mkdir -p " + directory + "/felix-config/target " + directory + "/bpf " + directory + "/bundles"
                + " && touch " + directory + "/pom.xml && cp ../flowbypass " + directory
                + " && cp -r ../felix-config/target/flowbypass " + directory + "/felix-config/target"
                + " && touch " + directory + "/felix-config/target/flowbypass/built");
        // It lives as long as this JVM holds its input open.
        namespace = new ProcessBuilder("unshare", "--mount", "sh", "-ec",
                "mount -t tmpfs tmpfs /run && mount -t bpf bpf /sys/fs/bpf && echo ready && cat")
                .redirectErrorStream(true).start();
        byte[] ready = namespace.getInputStream().readNBytes("ready\n".length());
        assertThat(new String(ready)).isEqualTo("ready\n");
    }

    @AfterEach
    void takeDown() throws Exception {
        if (namespace == null) {
            return;
        }
        flowbypass("off");
        for (Process process : started) {
            process.destroyForcibly().waitFor();
        }
        namespace.destroy();
        namespace.waitFor();
    }

    /** How a command ended. */
    record Outcome(int status, String out, String error) {
    }

    /** Starts a command there; what it says goes to the files {@code out} and {@code error}. */
    Process start(String... command) throws IOException {
        List<String> line = new ArrayList<>(List.of("nsenter", "--mount=/proc/" + namespace.pid() + "/ns/mnt",
                "--wd=" + directory));
        line.addAll(List.of(command));
        Process process = new ProcessBuilder(line).redirectOutput(output("out")).redirectError(output("error")).start();
        started.add(process);
        return process;
    }

    private File output(String name) {
        return directory.resolve(name).toFile();
    }

    /** Waits for its end. */
    Outcome end(Process process) throws Exception {
        return end(process, LIMIT_SECONDS);
    }

    /** Waits for its end for so long at the most. */
    Outcome end(Process process, long seconds) throws Exception {
        assertThat(process.waitFor(seconds, TimeUnit.SECONDS)).as("it ends").isTrue();
        return new Outcome(process.exitValue(), said("out"), said("error"));
    }

    /** The content of a file in the directory. */
    String said(String name) throws IOException {
        return Files.readString(directory.resolve(name));
    }

    /** Runs the script. */
    Outcome flowbypass(String... arguments) throws Exception {
        return run("", arguments);
    }

    /** Runs the script, after something else in the same shell. */
    Outcome run(String before, String... arguments) throws Exception {
        return end(start("sh", "-c", before + " exec ./flowbypass " + String.join(" ", arguments)));
    }

    /** Whether a command refused what it was asked for, in a sentence with these parts. */
    static void refuses(Outcome outcome, String... parts) {
        assertThat(outcome.status()).as(outcome.toString()).isNotZero();
        // What the JVM logged before that is no part of the refusal.
        String last = outcome.error().strip().replaceFirst("(?s).*\n", "");
        assertThat(last).startsWith("flowbypass: ").contains(parts);
    }

    /** Runs a command line in the mount namespace; returns what it printed. */
    String inside(String command) {
        return Shell.run("nsenter --mount=/proc/" + namespace.pid() + "/ns/mnt sh -c '" + command + "'");
    }

    /** Namespaces, pins, run directories and processes of what was started. */
    String leftBehind() {
        return inside("ls -d /run/netns/flowbypass-* /sys/fs/bpf/flowbypass* /run/flowbypass* 2>/dev/null || true")
                + ProcessHandle.allProcesses().filter(this::isOfHere)
                        .map(process -> process.info().commandLine().orElse("")).toList();
    }

    /** Felix runs in the distribution, programs in C are called by their paths. */
    private boolean isOfHere(ProcessHandle process) {
        try {
            return process.info().commandLine().orElse("").contains(directory + "/itests")
                    || Files.readSymbolicLink(Path.of("/proc", Long.toString(process.pid()), "cwd"))
                            .startsWith(directory.resolve("felix-config"));
        } catch (IOException gone) {
            return false;
        }
    }
}
