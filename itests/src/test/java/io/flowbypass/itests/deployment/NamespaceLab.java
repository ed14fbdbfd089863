// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.itests.lab.Shell;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;

/** Commands in a mount namespace, in which what they change is private to the test. */
abstract class NamespaceLab {
    private static final long LIMIT_SECONDS = 120;
    private static final String READY = "ready\n";

    @TempDir
    Path directory;
    private Process namespace;
    private final List<Process> started = new ArrayList<>();

    /** Makes it, and mounts there. */
    void enter(String mounts) throws IOException {
        // It lives as long as this JVM holds its input open.
        namespace = new ProcessBuilder("unshare", "--mount", "sh", "-ec", mounts + "\necho ready\nexec cat")
                .redirectErrorStream(true).start();
        byte[] ready = namespace.getInputStream().readNBytes(READY.length());
        assertThat(new String(ready)).isEqualTo(READY);
    }

    /** Whether {@link #enter} was called. */
    boolean isEntered() {
        return namespace != null;
    }

    /** Ends it, and what was started in it. */
    void leave() throws InterruptedException {
        for (Process process : started) {
            process.destroyForcibly().waitFor();
        }
        namespace.destroy();
        namespace.waitFor();
    }

    /** What leads there. */
    List<String> way() {
        return List.of("nsenter", "--mount=/proc/" + namespace.pid() + "/ns/mnt");
    }

    /** How a command ended. */
    record Outcome(int status, String out, String error) {
    }

    /** Starts a command there; what it says goes to the files {@code out} and {@code error}. */
    Process start(String... command) throws IOException {
        List<String> line = new ArrayList<>(way());
        line.add("--wd=" + directory);
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

    /** Whether a command refused what it was asked for, in a sentence with these parts. */
    static void refuses(Outcome outcome, String... parts) {
        assertThat(outcome.status()).as(outcome.toString()).isNotZero();
        // What the JVM logged before that is no part of the refusal.
        String last = outcome.error().strip().replaceFirst("(?s).*\n", "");
        assertThat(last).startsWith("flowbypass: ").contains(parts);
    }

    /** Runs a command line there; returns what it printed. */
    String inside(String command) {
        return Shell.run(String.join(" ", way()) + " sh -c '" + command + "'");
    }
}
