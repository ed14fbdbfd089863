// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.demo.internal;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A capture as a monitor has it: tcpdump on an AF_PACKET socket.
 *
 * <p>Its count of packets received is the kernel's count of what reached the socket, including what tcpdump was too
 * slow to take. tcpdump prints its counters when it gets SIGUSR1, and when it ends.
 */
final class Capture implements AutoCloseable {
    private static final Pattern COUNTER = Pattern
            .compile("(\\d+) packets? (captured|received by filter|dropped by kernel|dropped by interface)");
    private static final int RING_KIB = 65536;
    private static final int FILTERED_RING_KIB = 2048;
    private static final int HEADER_BYTES = 96;
    private static final long PATIENCE_MILLIS = 5000;

    private final Process process;
    private final StringBuilder said = new StringBuilder();
    private boolean listening;
    private boolean ended;
    private long received;
    private long dropped;
    private int reports;

    private Capture(Process process) {
        this.process = process;
    }

    /**
     * Starts a capture; returns when it listens.
     *
     * @param interfaceName where
     * @param filter a filter of pcap, or nothing to capture all
     * @throws IOException when tcpdump does not start; the message says why
     */
    static Capture start(String interfaceName, String... filter) throws IOException, InterruptedException {
        int ring = filter.length == 0 ? RING_KIB : FILTERED_RING_KIB;
        List<String> command = new ArrayList<>(List.of("tcpdump", "-i", interfaceName, "-Q", "in", "-nn", "-s",
                Integer.toString(HEADER_BYTES), "-B", Integer.toString(ring), "-w", "/dev/null"));
        command.addAll(List.of(filter));
        Capture capture = new Capture(new ProcessBuilder(command).start());
        Thread reader = new Thread(capture::read, "flowbypass demo capture");
        reader.setDaemon(true);
        reader.start();
        capture.awaitListening();
        return capture;
    }

    private synchronized void awaitListening() throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE_MILLIS);
        while (!listening) {
            if (ended || System.nanoTime() > deadline) {
                process.destroyForcibly();
                throw new IOException("tcpdump does not capture: " + said.toString().strip());
            }
            wait(100);
        }
    }

    private void read() {
        try (BufferedReader lines = process.errorReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                take(line);
            }
        } catch (IOException e) {
            take(e.getMessage());
        }
        synchronized (this) {
            ended = true;
            notifyAll();
        }
    }

    private synchronized void take(String line) {
        said.append(line).append('\n');
        listening |= line.contains("listening on");
        Matcher counter = COUNTER.matcher(line);
        while (counter.find()) {
            long value = Long.parseLong(counter.group(1));
            switch (counter.group(2)) {
                case "received by filter" -> received = value;
                case "dropped by kernel" -> {
                    dropped = value;
                    reports++;
                }
                default -> {
                    // What tcpdump wrote to its file is of no interest here.
                }
            }
        }
        notifyAll();
    }

    /**
     * How many packets have reached the capture, now.
     *
     * @throws IOException when tcpdump does not answer
     */
    synchronized long received() throws IOException, InterruptedException {
        int before = reports;
        // The shell's own kill: the program of that name is not on every machine.
        new ProcessBuilder("sh", "-c", "kill -USR1 " + process.pid()).inheritIO().start().waitFor();
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE_MILLIS);
        while (reports == before) {
            if (ended || System.nanoTime() > deadline) {
                throw new IOException("tcpdump does not say what it captured: " + said.toString().strip());
            }
            wait(100);
        }
        return received;
    }

    /** How many packets reached the capture that it was too slow to take, when it was last asked. */
    synchronized long dropped() {
        return dropped;
    }

    /** Ends the capture. */
    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
