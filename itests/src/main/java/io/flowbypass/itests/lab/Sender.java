// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** A process on a host of the lab that sends UDP datagrams and holds TCP connections as it is told. */
public final class Sender implements AutoCloseable {
    private final Process process;
    private final PrintStream commands;
    private final BufferedReader answers;

    Sender(String namespace) {
        String jar = Sender.class.getProtectionDomain().getCodeSource().getLocation().toString()
                .replaceFirst("^(reference:)?file:", "");
        try {
            process = new ProcessBuilder("nsenter", "--net=/run/netns/" + namespace, "java", "-Xmx64m", "-XX:+UseSerialGC",
                    "-cp", jar, SenderProcess.class.getName()).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        } catch (IOException e) {
            throw new IllegalStateException("no sender in " + namespace, e);
        }
        commands = Lab.lines(process);
        answers = process.inputReader(StandardCharsets.UTF_8);
    }

    /** Sends datagrams of a size from a port to an address and port; returns when all are sent. */
    public void send(int sourcePort, String destination, int destinationPort, int count, int payload) {
        ask("send " + sourcePort + " " + destination + " " + destinationPort + " " + count + " " + payload);
    }

    /** Begins to send about 2000 datagrams a second, for a minute at the most. */
    public void start(int sourcePort, String destination, int destinationPort, int payload) {
        ask("start " + sourcePort + " " + destination + " " + destinationPort + " " + payload);
    }

    /** Ends what {@link #start} began; returns how many datagrams were sent. */
    public long stop() {
        return Long.parseLong(ask("stop"));
    }

    /** How many datagrams {@link #start} has sent by now. */
    public long sent() {
        return Long.parseLong(ask("sent"));
    }

    /** Counts UDP datagrams that reach a socket on a port from now on. */
    public void receive(int port) {
        ask("receive " + port);
    }

    /** Datagrams that reached that socket. */
    public long received() {
        return Long.parseLong(ask("received"));
    }

    /** Accepts TCP connections from now on, and sends back what comes in. */
    public void listen(int port) {
        ask("listen " + port);
    }

    /** As {@link #listen}, and does not close a connection that the other side has closed. */
    public void listenAndStay(int port) {
        ask("listen-and-stay " + port);
    }

    /** Opens a TCP connection from a port, and returns when it is open. */
    public void connect(int sourcePort, String destination, int destinationPort) {
        ask("connect " + sourcePort + " " + destination + " " + destinationPort);
    }

    /** Sends messages over the connection, and waits for each to come back before it sends the next. */
    public void talk(int messages) {
        ask("talk " + messages);
    }

    /** Ends the connection by a reset, so that the same ports are free at once. */
    public void abort() {
        ask("abort");
    }

    /** Closes this side of the connection: sends a FIN. */
    public void shut() {
        ask("shut");
    }

    /** Closes this side of the connection, and waits until the other side has closed too. */
    public void finish() {
        ask("finish");
    }

    private String ask(String command) {
        commands.println(command);
        try {
            String answer = answers.readLine();
            if (answer == null || answer.startsWith("!")) {
                throw new IllegalStateException("sender: " + command + ": " + answer);
            }
            return answer;
        } catch (IOException e) {
            throw new IllegalStateException("sender: " + command, e);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
