// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A monitoring tool of the classic design, seen from its pinned maps: {@code src/main/c/classic_client.c}, which knows
 * their layouts on its own. Each call starts a process; for any thread.
 */
public final class ClassicClient {
    private static final Path PROGRAM = Path.of(ClassicClient.class.getProtectionDomain().getCodeSource().getLocation()
            .toString().replaceFirst("^(reference:)?file:", "")).resolveSibling("programs/classic_client");
    private static final long LIMIT_SECONDS = 60;

    private final String dialect;
    private final Path bpffs;

    /**
     * Starts nothing yet.
     *
     * @param dialect {@code libflowbypass}, {@code zeek}, or {@code suricata:} and the name of an interface
     * @param bpffs the directory, on a bpffs, below which the dialect has its pins
     */
    public ClassicClient(String dialect, Path bpffs) {
        this.dialect = dialect;
        this.bpffs = bpffs;
    }

    /** Inserts both directions of a flow; protocols are {@code tcp} and {@code udp}, in zeek also {@code icmp}. */
    public void insert(String protocol, String source, int sourcePort, String destination, int destinationPort) {
        flow("insert", protocol, source, sourcePort, destination, destinationPort);
    }

    /** Deletes both directions of a flow; returns how many keys that were, 0 when it was not there. */
    public int delete(String protocol, String source, int sourcePort, String destination, int destinationPort) {
        return (int) flow("delete", protocol, source, sourcePort, destination, destinationPort).lines()
                .filter("deleted"::equals).count();
    }

    /** The packets that were counted from the source and from the destination; -1 where there is no entry. */
    public long[] packets(String protocol, String source, int sourcePort, String destination, int destinationPort) {
        return flow("show", protocol, source, sourcePort, destination, destinationPort).lines()
                .mapToLong(line -> line.equals("absent") ? -1 : Long.parseLong(line.split(" ")[0])).toArray();
    }

    /**
     * Runs any command of the client; returns what it printed. {@code churn} has a minute more than it is to take, all
     * others have a minute.
     *
     * @throws IllegalStateException when the client ends with another status than 0, with its message, or does not end
     */
    public String run(String... command) {
        List<String> line = new ArrayList<>(List.of(PROGRAM.toString(), dialect, bpffs.toString()));
        line.addAll(List.of(command));
        long limit = LIMIT_SECONDS + (command[0].equals("churn") ? Long.parseLong(command[1]) : 0);
        try {
            Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
            try {
                // It prints a few lines: they fit into the pipe, and can be read when it has ended.
                if (!process.waitFor(limit, TimeUnit.SECONDS)) {
                    throw new IllegalStateException(line + " did not end within " + limit + " s");
                }
                String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                if (process.exitValue() != 0) {
                    throw new IllegalStateException(line + " ended with " + process.exitValue() + ": " + output);
                }
                return output;
            } finally {
                process.destroyForcibly();
            }
        } catch (IOException e) {
            throw new IllegalStateException(line + " could not be run", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(line + " was interrupted", e);
        }
    }

    private String flow(String command, String protocol, String source, int sourcePort, String destination,
            int destinationPort) {
        return run(command, protocol, source, Integer.toString(sourcePort), destination, Integer.toString(destinationPort));
    }
}
