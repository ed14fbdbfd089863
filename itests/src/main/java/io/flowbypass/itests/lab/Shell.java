// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** Runs commands of the host. */
public final class Shell {
    private static final long LIMIT_SECONDS = 60;

    private Shell() {
    }

    /** Runs a command line of {@code sh}; returns what it printed. A failure or a minute's silence is an error. */
    public static String run(String command) {
        try {
            Process process = new ProcessBuilder("sh", "-ec", command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IllegalStateException(command + " did not end within a minute");
            }
            if (process.exitValue() != 0) {
                throw new IllegalStateException(command + " ended with " + process.exitValue() + ": " + output);
            }
            return output;
        } catch (IOException e) {
            throw new IllegalStateException(command + " could not be run", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(command + " was interrupted", e);
        }
    }
}
