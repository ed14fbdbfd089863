// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal.chaos;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.lang.management.ManagementFactory;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A Flowbypass in a process of its own: what is shipped, and a {@link Load} in it. It is started and killed again and again; its
 * table is pinned and outlives it, and whatever it tells goes to one account. For one thread.
 */
final class Felix implements AutoCloseable {
    private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(120);
    private static final int BATCH = 4096;
    private static final int BARRIER = 0;
    /** Packets of both directions after which XDP cuts a flow off by itself. */
    private static final int CUTOFF_PACKETS = 8;
    private static final int SWEEP_MILLIS = 10;
    /** What later JDKs than 17 are started with. */
    private static final List<String> NEWER_FLAGS = List.of("--enable-native-access", "--sun-misc-unsafe-memory-access");

    private final Lab lab;
    private final Path home;
    private final Account account;
    private final ServerSocketChannel server;
    private final Thread reader = new Thread(this::read, "records");
    /** What was told last, by its kind, and not asked for yet; the lock of all below. */
    private final Map<Integer, Message> told = new HashMap<>();
    private SocketChannel connection;
    private IOException failure;
    private Process process;
    private int starts;

    /**
     * Prepares it.
     *
     * @param name of its directory, and of its pins
     */
    Felix(Lab lab, String name, int residents, int flows, int capacity, int seed) throws IOException {
        this.lab = lab;
        home = Files.createDirectory(lab.directory().resolve(name));
        account = new Account(residents + flows, capacity);
        configure(residents, flows, capacity, seed);
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(socket());
        reader.setDaemon(true);
        reader.start();
    }

    private UnixDomainSocketAddress socket() {
        return UnixDomainSocketAddress.of(home.resolve("socket"));
    }

    /** Where its program is pinned. */
    Path pins() {
        return lab.pins(home.getFileName().toString());
    }

    private void configure(int residents, int flows, int capacity, int seed) throws IOException {
        Path etc = Files.createDirectory(home.resolve("etc"));
        try (Stream<Path> shipped = Files.list(Path.of("etc"))) {
            // But not the bundles that somebody works with here.
            for (Path file : shipped.filter(each -> !each.getFileName().toString().startsWith("org.apache.felix")).toList()) {
                Files.copy(file, etc.resolve(file.getFileName()));
            }
        }
        set(etc, "io.flowbypass.xdp", "pin.root", pins());
        set(etc, "io.flowbypass.xdp", "capacity", capacity);
        set(etc, "io.flowbypass.xdp", "cutoff.enabled", true);
        set(etc, "io.flowbypass.xdp", "cutoff.packets", CUTOFF_PACKETS);
        set(etc, "io.flowbypass.table", "durable.listeners", RecordSender.NAME);
        set(etc, "io.flowbypass.control", "socket.path", home.resolve("ctl.sock"));
        set(etc, "io.flowbypass.records", "file", "");
        set(etc, "io.flowbypass.expiry", "sweep.interval.millis", SWEEP_MILLIS);
        set(etc, "io.flowbypass.expiry", "active.policies", Load.NAME);
        Files.writeString(etc.resolve("io.flowbypass.xdp.interface-" + Lab.CABLE + ".cfg"),
                "interface = " + Lab.CABLE + "\nmode = native\n");
        Files.writeString(etc.resolve(Line.PID + ".cfg"), "socket = " + socket().getPath() + "\nresidents = " + residents
                + "\nflows = " + flows + "\nseed = " + seed + "\n");
    }

    private static void set(Path etc, String pid, String key, Object value) throws IOException {
        Path file = etc.resolve(pid + ".cfg");
        String line = "(?m)^" + key.replace(".", "\\.") + " *=.*$";
        Files.writeString(file, Files.readString(file).replaceFirst(line, key + " = " + value));
    }

    /** Starts it; its table is made, or adopted where there is one. */
    void start() throws IOException {
        List<String> command = new ArrayList<>(List.of("nsenter", "--net=" + lab.namespaceFile(), "--",
                System.getProperty("java.home") + "/bin/java"));
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(flag -> NEWER_FLAGS.stream().anyMatch(flag::startsWith)).forEach(command::add);
        for (String same : List.of("java.util.logging.config.file", "jna.tmpdir")) {
            command.add("-D" + same + "=" + System.getProperty(same));
        }
        command.addAll(List.of("-Dfelix.fileinstall.dir=" + home.resolve("etc"),
                "-Dfelix.fileinstall.tmpdir=" + home.resolve("fileinstall"),
                "-Dflowbypass.failure.file=" + home.resolve("failure"),
                "-D" + Load.START + "=" + starts++,
                // Before what it measures.
                "-Dfelix.auto.start.2=file:bundle/org.apache.felix.fileinstall.jar " + System.getProperty("felix.auto.start.4"),
                "-jar", "bin/felix.jar", home.resolve("cache").toString()));
        process = new ProcessBuilder(command).redirectOutput(Redirect.INHERIT).redirectError(Redirect.INHERIT).start();
    }

    long pid() {
        return process.pid();
    }

    /** Waits until it bypasses flows. */
    Message awaitUp() throws IOException, InterruptedException {
        Message up = await(Message.UP);
        if (up.b() <= 0) {
            throw new IOException("The load began to look only when the table was there: adoption was not measured.");
        }
        return up;
    }

    /** Ends all flows; returns once each record is in the account. */
    Message end() throws IOException, InterruptedException {
        ask(Message.ASK_END);
        return await(Message.ENDED);
    }

    /** Bytes that live on its heap after a collection, and threads of Java. */
    Message heap() throws IOException, InterruptedException {
        ask(Message.ASK_HEAP);
        return await(Message.HEAP);
    }

    /** Kills it; returns once what it had told is in the account. */
    void kill() throws IOException, InterruptedException {
        process.destroyForcibly().waitFor();
        // Behind all that it has sent.
        try (SocketChannel own = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            own.connect(socket());
            ByteBuffer barrier = Message.buffer(1);
            Message.of(BARRIER).writeTo(barrier);
            own.write(barrier.flip());
        }
        await(BARRIER);
        synchronized (told) {
            told.clear();
        }
    }

    Account account() {
        return account;
    }

    private void ask(byte what) throws IOException {
        SocketChannel to;
        synchronized (told) {
            to = connection;
        }
        to.write(ByteBuffer.wrap(new byte[] {what}));
    }

    /** Whether it is up, or will not be within so many milliseconds. */
    boolean isUpWithin(long millis) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        synchronized (told) {
            for (long left = millis; !told.containsKey(Message.UP) && left > 0;
                    left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime())) {
                told.wait(left);
            }
            return told.containsKey(Message.UP);
        }
    }

    private Message await(int kind) throws IOException, InterruptedException {
        long end = System.nanoTime() + LIMIT_NANOS;
        synchronized (told) {
            while (!told.containsKey(kind)) {
                if (failure != null) {
                    throw failure;
                }
                if (kind != BARRIER && !process.isAlive() || System.nanoTime() - end > 0) {
                    throw new IOException("The Flowbypass under load " + (process.isAlive() ? "does not answer." : "has ended: "
                            + failureFile()));
                }
                told.wait(100);
            }
            return told.remove(kind);
        }
    }

    private String failureFile() throws IOException {
        Path file = home.resolve("failure");
        return Files.exists(file) ? Files.readString(file).strip() : "what it said is above.";
    }

    /** One process after the other. */
    private void read() {
        ByteBuffer buffer = Message.buffer(BATCH);
        try {
            while (true) {
                try (SocketChannel from = server.accept()) {
                    buffer.clear();
                    while (receive(from, buffer)) {
                        buffer.flip();
                        while (buffer.remaining() >= Message.BYTES) {
                            take(Message.readFrom(buffer), from);
                        }
                        buffer.compact();
                    }
                }
            }
        } catch (IOException closed) {
            fail(closed);
        }
    }

    private void fail(IOException why) {
        synchronized (told) {
            failure = failure == null ? why : failure;
            told.notifyAll();
        }
    }

    private static boolean receive(SocketChannel from, ByteBuffer buffer) {
        try {
            return from.read(buffer) >= 0;
        } catch (IOException killed) {
            // What it had sent has been read before.
            return false;
        }
    }

    private void take(Message message, SocketChannel from) {
        if (message.kind() == Message.RECORD) {
            try {
                account.add(message);
            } catch (RuntimeException wrong) {
                fail(new IOException("Flowbypass is wrong: " + message + " is of no flow or slot that there is.", wrong));
            }
            return;
        }
        synchronized (told) {
            connection = from;
            told.put(message.kind(), message);
            told.notifyAll();
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        if (process != null) {
            process.destroyForcibly().onExit().join();
        }
        lab.removePins(home.getFileName().toString());
    }
}
