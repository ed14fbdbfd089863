// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A program in C that what is ours is measured against. It is started once, answers each line that it is given with one
 * line, and limits the time for that itself. For one thread.
 */
public final class Program implements AutoCloseable {
    private final Path file;
    private final Process process;
    private final Writer input;
    private final BufferedReader output;

    private Program(Path file, Process process) {
        this.file = file;
        this.process = process;
        input = process.outputWriter(StandardCharsets.UTF_8);
        output = process.inputReader(StandardCharsets.UTF_8);
    }

    static Program start(Path file, Object... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(file.toString()));
        Stream.of(arguments).map(Object::toString).forEach(command::add);
        return new Program(file, new ProcessBuilder(command).redirectError(Redirect.INHERIT).start());
    }

    /**
     * Gives it a line, and returns its answer.
     *
     * @throws IOException when it has none because it has ended; why, it has said itself
     */
    public String ask(String line) throws IOException, InterruptedException {
        try {
            input.write(line + "\n");
            input.flush();
        } catch (IOException ended) {
            throw failure();
        }
        return answer();
    }

    /** The next line that it prints. */
    String answer() throws IOException, InterruptedException {
        String answer = output.readLine();
        if (answer == null) {
            throw failure();
        }
        return answer;
    }

    private IOException failure() throws InterruptedException {
        return new IOException("the program " + file.getFileName() + " ended with status " + process.waitFor()
                + "; what it said is above.");
    }

    /** Ends it at once. */
    @Override
    public void close() {
        process.destroyForcibly();
    }
}
