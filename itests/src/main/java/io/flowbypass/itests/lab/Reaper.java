// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import java.io.IOException;

/** Runs a clean-up once this JVM is gone, however it went, or when it is closed: a process at the end of a pipe. */
public final class Reaper implements AutoCloseable {
    private final Process process;

    /** Prepares lines of {@code sh} that must not fail the test: what they remove may be gone already. */
    public Reaper(String cleanUp) {
        try {
            process = new ProcessBuilder("setsid", "sh", "-c", "trap '' INT TERM HUP; cat >/dev/null\n" + cleanUp)
                    .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        } catch (IOException e) {
            throw new IllegalStateException("no reaper", e);
        }
    }

    /** Cleans up now, and waits for it. */
    @Override
    public void close() {
        try {
            process.getOutputStream().close();
            process.waitFor();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
