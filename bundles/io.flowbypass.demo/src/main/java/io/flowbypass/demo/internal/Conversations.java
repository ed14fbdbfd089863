// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.demo.internal;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/**
 * The two ends of the conversations, each a process of its own in its own network namespace. Plain Java: no OSGi here.
 *
 * <p>{@code server} answers until its standard input ends. {@code client ADDRESS...} holds short conversations with
 * these servers until then, and carries out what it reads, one order a line: {@code start} and an
 * {@linkplain Elephant#line() elephant}, or {@code stop} and its port. For each elephant it prints twice a second
 * {@code confirmed PORT BYTES}: what the server says it has received, which is how one sees that the conversation goes
 * on.
 */
public final class Conversations {
    /** Where the server takes elephants, TCP and UDP. */
    static final int ELEPHANT_PORT = 5001;
    /** Where the server answers short requests, TCP and UDP. */
    static final int SHORT_PORT = 8080;

    private static final int UDP_PAYLOAD = 1200;
    private static final int TCP_PAYLOAD = 1428;
    private static final int CONFIRM_EVERY = 16;
    private static final int REQUEST_BYTES = 200;
    private static final int ANSWER_BYTES = 4000;
    private static final int DATAGRAM_ANSWER_BYTES = 400;
    private static final int SHORT_PER_SECOND = 200;
    private static final int TIMEOUT_MILLIS = 1000;
    private static final long SAY_NANOS = 500_000_000;
    private static final long BURST_NANOS = 2_000_000;

    /** By client port: whether the elephant is to go on. Only the thread that reads the orders looks up here. */
    private final Map<Integer, AtomicBoolean> elephants = new HashMap<>();

    private Conversations() {
    }

    /** Runs one end. */
    public static void main(String[] arguments) throws IOException {
        Conversations conversations = new Conversations();
        if (arguments[0].equals("server")) {
            conversations.serve();
        } else {
            conversations.converse(arguments);
        }
        // Whoever started this process is done or dead: no conversation outlives it.
        Runtime.getRuntime().halt(0);
    }

    private void serve() throws IOException {
        ServerSocketChannel elephantStreams = listen(ELEPHANT_PORT);
        ServerSocketChannel shortStreams = listen(SHORT_PORT);
        DatagramChannel elephantDatagrams = datagrams(new InetSocketAddress(ELEPHANT_PORT));
        DatagramChannel shortDatagrams = datagrams(new InetSocketAddress(SHORT_PORT));
        background("elephant streams", () -> accept(elephantStreams, Conversations::confirmStream));
        background("short streams", () -> accept(shortStreams, Conversations::answerStream));
        background("elephant datagrams", () -> confirmDatagrams(elephantDatagrams));
        background("short datagrams", () -> answerDatagrams(shortDatagrams));
        say("ready");
        while (System.in.read() >= 0) {
            // Nothing is said to the server; the end of its input is the end.
        }
    }

    private void converse(String[] arguments) throws IOException {
        for (int i = 1; i < arguments.length; i++) {
            InetAddress server = InetAddress.getByName(arguments[i]);
            background("short conversations with " + arguments[i], () -> talkShortly(server));
        }
        say("ready");
        BufferedReader orders = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String order = orders.readLine(); order != null; order = orders.readLine()) {
            String[] parts = order.split(" ", 2);
            if (parts[0].equals("start")) {
                Elephant elephant = Elephant.ofLine(parts[1]);
                AtomicBoolean wanted = new AtomicBoolean(true);
                elephants.put(elephant.clientPort(), wanted);
                background(parts[1], () -> send(elephant, wanted));
            } else {
                elephants.remove(Integer.parseInt(parts[1])).set(false);
            }
        }
    }

    // --- the client's elephants

    /** One end of an elephant. */
    private interface Line extends AutoCloseable {
        /** Sends one full packet, or what becomes one. */
        void send() throws IOException;

        /** What the server said it had received, in bytes; -1 when it said nothing new. */
        long confirmed() throws IOException;

        @Override
        void close() throws IOException;
    }

    private static void send(Elephant elephant, AtomicBoolean wanted) throws IOException {
        try (Line line = elephant.tcp() ? openStream(elephant) : openDatagrams(elephant)) {
            long confirmed = 0;
            long sent = 0;
            long begun = System.nanoTime();
            long said = begun;
            while (wanted.get()) {
                long now = System.nanoTime();
                // Packets that are due and could not be sent are left out: no flood after a pause.
                long due = (long) ((now - begun) / 1e9 * elephant.packetsPerSecond());
                sent = Math.max(sent, due - elephant.packetsPerSecond() / 50);
                while (sent < due) {
                    line.send();
                    sent++;
                }
                confirmed = Math.max(confirmed, line.confirmed());
                if (now - said >= SAY_NANOS) {
                    said = now;
                    say("confirmed " + elephant.clientPort() + " " + confirmed);
                }
                LockSupport.parkNanos(BURST_NANOS);
            }
        }
    }

    private static Line openStream(Elephant elephant) throws IOException {
        SocketChannel channel = SocketChannel.open();
        channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        channel.bind(elephant.from());
        channel.connect(elephant.to());
        channel.configureBlocking(false);
        ByteBuffer packet = ByteBuffer.allocateDirect(TCP_PAYLOAD);
        ByteBuffer answer = ByteBuffer.allocateDirect(4096);
        return new Line() {
            @Override
            public void send() throws IOException {
                if (!packet.hasRemaining()) {
                    packet.clear();
                }
                channel.write(packet);
            }

            @Override
            public long confirmed() throws IOException {
                long last = -1;
                while (channel.read(answer) > 0) {
                    answer.flip();
                    while (answer.remaining() >= Long.BYTES) {
                        last = answer.getLong();
                    }
                    answer.compact();
                }
                return last;
            }

            @Override
            public void close() throws IOException {
                try (channel) {
                    // In order: with answers unread, a close would reset the connection.
                    channel.shutdownOutput();
                    channel.configureBlocking(true);
                    channel.socket().setSoTimeout(TIMEOUT_MILLIS);
                    channel.socket().getInputStream().transferTo(OutputStream.nullOutputStream());
                }
            }
        };
    }

    private static Line openDatagrams(Elephant elephant) throws IOException {
        DatagramChannel channel = datagrams(elephant.from());
        channel.connect(elephant.to());
        channel.configureBlocking(false);
        ByteBuffer packet = ByteBuffer.allocateDirect(UDP_PAYLOAD);
        ByteBuffer answer = ByteBuffer.allocateDirect(Long.BYTES);
        return new Line() {
            @Override
            public void send() throws IOException {
                packet.clear();
                channel.write(packet);
            }

            @Override
            public long confirmed() throws IOException {
                long last = -1;
                answer.clear();
                while (channel.read(answer) > 0) {
                    last = answer.flip().getLong();
                    answer.clear();
                }
                return last;
            }

            @Override
            public void close() throws IOException {
                channel.close();
            }
        };
    }

    // --- the client's short conversations

    private static void talkShortly(InetAddress server) throws IOException {
        SocketAddress to = new InetSocketAddress(server, SHORT_PORT);
        byte[] request = new byte[REQUEST_BYTES];
        long begun = System.nanoTime();
        for (long count = 0;; count++) {
            try {
                if (count % 2 == 0) {
                    askStream(to, request);
                } else {
                    askDatagram(to, request);
                }
            } catch (IOException e) {
                // A lost packet ends one of many conversations; the next one follows.
                LockSupport.parkNanos(BURST_NANOS);
            }
            long early = begun + count * 1_000_000_000L / SHORT_PER_SECOND - System.nanoTime();
            if (early > 0) {
                LockSupport.parkNanos(early);
            } else {
                begun -= early;
            }
        }
    }

    private static void askStream(SocketAddress to, byte[] request) throws IOException {
        try (SocketChannel channel = SocketChannel.open()) {
            channel.socket().setSoTimeout(TIMEOUT_MILLIS);
            channel.socket().connect(to, TIMEOUT_MILLIS);
            channel.socket().getOutputStream().write(request);
            channel.socket().getInputStream().readNBytes(ANSWER_BYTES);
        }
    }

    private static void askDatagram(SocketAddress to, byte[] request) throws IOException {
        try (DatagramChannel channel = DatagramChannel.open()) {
            channel.connect(to);
            channel.socket().setSoTimeout(TIMEOUT_MILLIS);
            channel.write(ByteBuffer.wrap(request));
            channel.socket().receive(new DatagramPacket(new byte[DATAGRAM_ANSWER_BYTES], DATAGRAM_ANSWER_BYTES));
        }
    }

    // --- the server

    private static void confirmStream(SocketChannel channel) throws IOException {
        ByteBuffer data = ByteBuffer.allocateDirect(64 * 1024);
        ByteBuffer answer = ByteBuffer.allocate(Long.BYTES);
        long received = 0;
        long confirmed = 0;
        for (int count = channel.read(data); count >= 0; count = channel.read(data)) {
            data.clear();
            received += count;
            if (received - confirmed >= (long) CONFIRM_EVERY * TCP_PAYLOAD) {
                confirmed = received;
                channel.write(answer.clear().putLong(received).flip());
            }
        }
    }

    private static void answerStream(SocketChannel channel) throws IOException {
        channel.socket().setSoTimeout(TIMEOUT_MILLIS);
        channel.socket().getInputStream().readNBytes(REQUEST_BYTES);
        channel.socket().getOutputStream().write(new byte[ANSWER_BYTES]);
    }

    private static void confirmDatagrams(DatagramChannel channel) throws IOException {
        Map<SocketAddress, long[]> received = new HashMap<>();
        ByteBuffer data = ByteBuffer.allocateDirect(2048);
        ByteBuffer answer = ByteBuffer.allocate(Long.BYTES);
        while (true) {
            SocketAddress from = channel.receive(data.clear());
            long[] counts = received.computeIfAbsent(from, any -> new long[2]);
            counts[0] += data.position();
            if (++counts[1] % CONFIRM_EVERY == 0) {
                channel.send(answer.clear().putLong(counts[0]).flip(), from);
            }
        }
    }

    private static void answerDatagrams(DatagramChannel channel) throws IOException {
        ByteBuffer data = ByteBuffer.allocateDirect(2048);
        ByteBuffer answer = ByteBuffer.allocate(DATAGRAM_ANSWER_BYTES);
        while (true) {
            SocketAddress from = channel.receive(data.clear());
            channel.send(answer.clear(), from);
        }
    }

    // --- both

    /** Something that may fail on a socket. */
    @FunctionalInterface
    private interface Action {
        void run() throws IOException;
    }

    /** What the server does with one connection. */
    @FunctionalInterface
    private interface Handler {
        void handle(SocketChannel channel) throws IOException;
    }

    private static ServerSocketChannel listen(int port) throws IOException {
        ServerSocketChannel listener = ServerSocketChannel.open();
        listener.bind(new InetSocketAddress(port), 512);
        return listener;
    }

    private static DatagramChannel datagrams(SocketAddress local) throws IOException {
        DatagramChannel channel = DatagramChannel.open();
        channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
        channel.setOption(StandardSocketOptions.SO_RCVBUF, 4 << 20);
        channel.setOption(StandardSocketOptions.SO_SNDBUF, 4 << 20);
        channel.bind(local);
        return channel;
    }

    private static void accept(ServerSocketChannel listener, Handler handler) throws IOException {
        while (true) {
            SocketChannel channel = listener.accept();
            background("connection", () -> {
                try (channel) {
                    handler.handle(channel);
                } catch (IOException e) {
                    // The client went away in the middle; it says so where it matters.
                }
            });
        }
    }

    private static Thread background(String name, Action action) {
        Thread thread = new Thread(() -> {
            try {
                action.run();
            } catch (IOException | UncheckedIOException e) {
                // One conversation broke: the others go on, and the conductor sees that nothing is confirmed.
                System.err.println("flowbypass demo: " + name + ": " + e.getMessage());
            }
        }, name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private static void say(String line) {
        synchronized (System.out) {
            System.out.println(line);
            System.out.flush();
        }
    }
}
