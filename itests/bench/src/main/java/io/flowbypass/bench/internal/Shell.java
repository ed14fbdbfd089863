// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** Runs what a shell does better than Java. */
public final class Shell {
    private Shell() {
    }

    /**
     * Runs lines, up to the first one that fails.
     *
     * @throws IOException with what it said when one fails
     */
    public static void run(String lines) throws IOException {
        Process shell = new ProcessBuilder("sh", "-ec", lines).redirectErrorStream(true).start();
        String said = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (shell.onExit().join().exitValue() != 0) {
            throw new IOException(lines + " failed: " + said.strip());
        }
    }
}
