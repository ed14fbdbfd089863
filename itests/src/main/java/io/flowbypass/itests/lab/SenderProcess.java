// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/** The other side of {@link Sender}: reads commands, sends, answers with a line each. */
public final class SenderProcess {
    /** Datagrams sent in a row; a cable holds 256 packets before it drops. */
    private static final int BURST = 32;
    private static final int MESSAGE_BYTES = 100;
    private static final int ANSWER_MILLIS = 20_000;
    private static final long LIMIT_NANOS = TimeUnit.MINUTES.toNanos(15);

    private final AtomicLong sent = new AtomicLong();
    private final AtomicLong received = new AtomicLong();
    private volatile boolean running;
    private Thread worker;
    private Socket connection;

    private SenderProcess() {
    }

    /** Runs until standard input ends. */
    public static void main(String[] args) throws IOException {
        SenderProcess sender = new SenderProcess();
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            try {
                System.out.println(sender.obey(line.split(" ")));
            } catch (IOException | InterruptedException | RuntimeException e) {
                System.out.println("!" + e);
            }
        }
        System.exit(0);
    }

    private String obey(String[] words) throws IOException, InterruptedException {
        switch (words[0]) {
            case "send" -> {
                try (DatagramChannel channel = open(words)) {
                    int count = Integer.parseInt(words[4]);
                    ByteBuffer payload = ByteBuffer.allocateDirect(Integer.parseInt(words[5]));
                    for (int i = 1; i <= count; i++) {
                        write(channel, payload);
                        if (i % BURST == 0) {
                            LockSupport.parkNanos(500_000);
                        }
                    }
                }
                return "ok";
            }
            case "start" -> {
                DatagramChannel channel = open(words);
                ByteBuffer payload = ByteBuffer.allocateDirect(Integer.parseInt(words[4]));
                sent.set(0);
                running = true;
                worker = new Thread(() -> stream(channel, payload));
                worker.start();
                return "ok";
            }
            case "stop" -> {
                running = false;
                worker.join();
                return Long.toString(sent.get());
            }
            case "receive" -> {
                DatagramChannel channel = DatagramChannel.open(StandardProtocolFamily.INET);
                channel.bind(new InetSocketAddress(Integer.parseInt(words[1])));
                Thread receiver = new Thread(() -> receive(channel));
                receiver.setDaemon(true);
                receiver.start();
                return "ok";
            }
            case "received" -> {
                return Long.toString(received.get());
            }
            case "sent" -> {
                return Long.toString(sent.get());
            }
            case "listen" -> {
                daemon(new ServerSocket(Integer.parseInt(words[1])), true);
                return "ok";
            }
            case "listen-and-stay" -> {
                daemon(new ServerSocket(Integer.parseInt(words[1])), false);
                return "ok";
            }
            case "connect" -> {
                connection = new Socket();
                connection.setReuseAddress(true);
                connection.setSoLinger(true, 0);
                connection.setTcpNoDelay(true);
                connection.setSoTimeout(ANSWER_MILLIS);
                connection.bind(new InetSocketAddress(Integer.parseInt(words[1])));
                connection.connect(new InetSocketAddress(words[2], Integer.parseInt(words[3])), ANSWER_MILLIS);
                return "ok";
            }
            case "talk" -> {
                for (int left = Integer.parseInt(words[1]); left > 0; left--) {
                    connection.getOutputStream().write(new byte[MESSAGE_BYTES]);
                    if (connection.getInputStream().readNBytes(MESSAGE_BYTES).length < MESSAGE_BYTES) {
                        throw new EOFException("the connection was closed");
                    }
                }
                return "ok";
            }
            case "abort" -> {
                connection.close();
                return "ok";
            }
            case "shut" -> {
                connection.shutdownOutput();
                return "ok";
            }
            case "finish" -> {
                connection.shutdownOutput();
                connection.getInputStream().transferTo(OutputStream.nullOutputStream());
                connection.setSoLinger(false, 0);
                connection.close();
                return "ok";
            }
            default -> throw new IllegalArgumentException(words[0]);
        }
    }

    private static void daemon(ServerSocket listening, boolean closes) {
        Thread thread = new Thread(() -> {
            List<Socket> open = new ArrayList<>();
            while (true) {
                try {
                    Socket accepted = listening.accept();
                    open.add(accepted);
                    accepted.setTcpNoDelay(true);
                    accepted.getInputStream().transferTo(accepted.getOutputStream());
                    if (closes) {
                        accepted.close();
                    }
                } catch (IOException reset) {
                    // The next one.
                }
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    private void stream(DatagramChannel channel, ByteBuffer payload) {
        long end = System.nanoTime() + LIMIT_NANOS;
        try (channel) {
            while (running && System.nanoTime() < end) {
                write(channel, payload);
                sent.incrementAndGet();
                LockSupport.parkNanos(400_000);
            }
        } catch (IOException e) {
            System.err.println("sender: " + e);
        }
    }

    /** Until this process ends. */
    private void receive(DatagramChannel channel) {
        ByteBuffer payload = ByteBuffer.allocateDirect(65536);
        try (channel) {
            while (true) {
                payload.clear();
                channel.receive(payload);
                received.incrementAndGet();
            }
        } catch (IOException e) {
            System.err.println("receiver: " + e);
        }
    }

    private static DatagramChannel open(String[] words) throws IOException {
        InetSocketAddress destination = new InetSocketAddress(words[2], Integer.parseInt(words[3]));
        DatagramChannel channel = DatagramChannel.open(
                words[2].contains(":") ? StandardProtocolFamily.INET6 : StandardProtocolFamily.INET);
        channel.bind(new InetSocketAddress(words[2].contains(":") ? "::" : "0.0.0.0", Integer.parseInt(words[1])));
        channel.connect(destination);
        return channel;
    }

    private static void write(DatagramChannel channel, ByteBuffer payload) throws IOException {
        payload.clear();
        channel.write(payload);
    }
}
