// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** tcpdump behind XDP on an interface: what a monitor would see, packets and bytes counted per ports of UDP and TCP. */
public final class Capture implements AutoCloseable {
    private static final Pattern PORTS = Pattern.compile("length (\\d+): .*?\\.(\\d+) > \\S+\\.(\\d+): (Flags \\[S],)?");
    private static final long START_SECONDS = 20;
    /** Bytes of each packet: its headers. Of packets as large as may be, the buffer has room for few, and loses others. */
    private static final String HEADERS = "192";

    private final Process process;
    private final Map<String, Long> seen = new ConcurrentHashMap<>();
    private final Map<String, Long> bytes = new ConcurrentHashMap<>();
    private final Map<String, Long> connects = new ConcurrentHashMap<>();
    private final CountDownLatch listening = new CountDownLatch(1);

    Capture(String cable) {
        this(List.of(), cable, "in");
    }

    /** As {@code tcpdump -Q} says of the direction, where a command in front of it has led. */
    Capture(List<String> before, String cable, String direction) {
        List<String> command = new ArrayList<>(before);
        command.addAll(List.of("tcpdump", "-i", cable, "-Q", direction, "-nn", "-e", "-l", "-t", "--immediate-mode", "-s",
                HEADERS, "-B", "8192", "udp or tcp"));
        try {
            process = new ProcessBuilder(command).start();
        } catch (IOException e) {
            throw new IllegalStateException("no capture on " + cable, e);
        }
        daemon(this::readErrors);
        daemon(this::readPackets);
        try {
            if (!listening.await(START_SECONDS, TimeUnit.SECONDS)) {
                throw new IllegalStateException("tcpdump does not listen on " + cable);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Packets seen from a port to a port. */
    public long seen(int sourcePort, int destinationPort) {
        return seen.getOrDefault(sourcePort + ">" + destinationPort, 0L);
    }

    /** Bytes of those packets, from the Ethernet header on. */
    public long bytes(int sourcePort, int destinationPort) {
        return bytes.getOrDefault(sourcePort + ">" + destinationPort, 0L);
    }

    /** Of them, those that open a TCP connection: a SYN and no ACK. */
    public long connects(int sourcePort, int destinationPort) {
        return connects.getOrDefault(sourcePort + ">" + destinationPort, 0L);
    }

    private static void daemon(Runnable task) {
        Thread thread = new Thread(task, "capture");
        thread.setDaemon(true);
        thread.start();
    }

    private void readErrors() {
        try (BufferedReader lines = process.errorReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("listening on")) {
                    listening.countDown();
                }
            }
        } catch (IOException e) {
            listening.countDown();
        }
    }

    private void readPackets() {
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                Matcher ports = PORTS.matcher(line);
                if (ports.find()) {
                    String between = ports.group(2) + ">" + ports.group(3);
                    bytes.merge(between, Long.parseLong(ports.group(1)), Long::sum);
                    seen.merge(between, 1L, Long::sum);
                    if (ports.group(4) != null) {
                        connects.merge(between, 1L, Long::sum);
                    }
                }
            }
        } catch (IOException e) {
            // The capture was closed.
        }
    }

    @Override
    public void close() {
        process.destroy();
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
