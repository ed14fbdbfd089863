// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.demo.internal;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A process of {@link Conversations} in a network namespace. It ends when this one ends or closes it. */
final class Talkers implements AutoCloseable {
    private static final int PATIENCE_SECONDS = 20;

    private final Process process;
    private final PrintStream orders;
    private final CountDownLatch ready = new CountDownLatch(1);
    private final Map<Integer, Long> confirmed = new ConcurrentHashMap<>();

    private Talkers(Process process) {
        this.process = process;
        this.orders = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
    }

    /**
     * Starts one end; returns when it is ready.
     *
     * @param java the Java launcher
     * @param jar this bundle's jar
     * @param namespace a file that stands for the network namespace
     * @param arguments for {@link Conversations}
     */
    static Talkers start(String java, String jar, String namespace, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("nsenter", "--net=" + namespace, "--", java, "-Xmx128m",
                "-XX:+UseSerialGC", "-cp", jar, Conversations.class.getName()));
        command.addAll(List.of(arguments));
        Talkers talkers = new Talkers(new ProcessBuilder(command).redirectError(Redirect.INHERIT).start());
        Thread reader = new Thread(talkers::read, "flowbypass demo " + arguments[0]);
        reader.setDaemon(true);
        reader.start();
        if (!talkers.ready.await(PATIENCE_SECONDS, TimeUnit.SECONDS) || !talkers.process.isAlive()) {
            talkers.close();
            throw new IOException("The " + arguments[0] + " of the conversations did not start.");
        }
        return talkers;
    }

    private void read() {
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] parts = line.split(" ");
                if (parts[0].equals("confirmed")) {
                    confirmed.put(Integer.parseInt(parts[1]), Long.parseLong(parts[2]));
                } else {
                    ready.countDown();
                }
            }
        } catch (IOException e) {
            // The process has ended: there is nothing more to read.
        }
        ready.countDown();
    }

    /** Lets an elephant begin. */
    void begin(Elephant elephant) {
        orders.println("start " + elephant.line());
    }

    /** Lets an elephant end. */
    void end(Elephant elephant) {
        orders.println("stop " + elephant.clientPort());
    }

    /** Bytes that the server had received of an elephant when it last said so, about twice a second. */
    long confirmed(Elephant elephant) {
        return confirmed.getOrDefault(elephant.clientPort(), 0L);
    }

    /** Ends all conversations of this end at once. */
    @Override
    public void close() {
        process.destroyForcibly();
        try {
            process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
