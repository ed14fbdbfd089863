// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.control.internal;

import io.flowbypass.flow.BypassRequest;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import jdk.net.ExtendedSocketOptions;

/** Serves all clients on one thread, in turns. */
final class Server implements AutoCloseable {
    private static final Logger LOG = System.getLogger(Server.class.getName());
    private static final long TICK_MILLIS = 1000;
    private static final long STALL_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long STOP_MILLIS = 5000;

    private final Operations operations;
    private final Counters counters;
    private final Selector selector;
    private final Thread thread = new Thread(this::run, "flowbypass-control");
    /** Connections of which an answer is there that was not at once. */
    private final ConcurrentLinkedQueue<Connection> answered = new ConcurrentLinkedQueue<>();
    private volatile int maxConnections;
    private volatile ServerSocketChannel listening;
    private volatile boolean stopping;
    /** When clients are let in again, where that was not possible. */
    private long acceptAt = System.nanoTime();

    Server(Operations operations, Counters counters, Limits limits) throws IOException {
        this.operations = operations;
        this.counters = counters;
        maxConnections = limits.connections();
        selector = Selector.open();
        thread.setDaemon(true);
        thread.start();
    }

    void setLimits(Limits limits) {
        maxConnections = limits.connections();
    }

    /** Takes clients from there, and from nowhere else, from now on. Who is connected stays. */
    void listen(ServerSocketChannel channel) throws IOException {
        channel.configureBlocking(false);
        listening = channel;
        selector.wakeup();
    }

    /** Closes all connections. */
    @Override
    public void close() {
        stopping = true;
        selector.wakeup();
        try {
            thread.join(STOP_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (thread.isAlive()) {
            LOG.log(Level.WARNING, "the thread of the control socket does not end");
        }
    }

    private void run() {
        Set<Connection> turn = new LinkedHashSet<>();
        while (!stopping) {
            try {
                select(turn.isEmpty());
                acceptClients();
                chooseReady(turn);
                serve(turn);
                closeStalled();
            } catch (IOException | RuntimeException | Error e) { // one that came through would end the service for all
                LOG.log(Level.WARNING, "the control socket is in trouble", e);
            }
        }
        for (SelectionKey key : selector.keys()) {
            if (key.attachment() instanceof Connection connection) {
                close(connection);
            }
        }
        try {
            selector.close();
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "the selector of the control socket could not be closed", e);
        }
    }

    private void select(boolean mayWait) throws IOException {
        ServerSocketChannel channel = listening;
        if (channel != null && channel.isOpen() && System.nanoTime() - acceptAt >= 0) {
            channel.register(selector, SelectionKey.OP_ACCEPT);
        }
        if (mayWait) {
            selector.select(TICK_MILLIS);
        } else {
            selector.selectNow();
        }
    }

    private void acceptClients() {
        ServerSocketChannel channel = listening;
        if (channel == null || !channel.isOpen() || System.nanoTime() - acceptAt < 0) {
            return;
        }
        try {
            for (SocketChannel client = channel.accept(); client != null; client = channel.accept()) {
                accept(client);
            }
        } catch (ClosedChannelException elsewhere) {
            return; // the socket has another place now
        } catch (IOException e) {
            LOG.log(Level.WARNING, "the control socket lets nobody in for a second", e);
            acceptAt = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(TICK_MILLIS);
            channel.keyFor(selector).interestOps(0);
        }
    }

    private void accept(SocketChannel client) throws IOException {
        if (counters.connections.get() >= maxConnections && !closeSilent()) {
            turnAway(client);
            return;
        }
        try {
            client.configureBlocking(false);
            String asker = asker(client.getOption(ExtendedSocketOptions.SO_PEERCRED).user().getName());
            SelectionKey key = client.register(selector, SelectionKey.OP_READ);
            key.attach(new Connection(client, key, asker, operations, this::wake));
        } catch (IOException gone) {
            LOG.log(Level.DEBUG, "a client of the control socket was gone at once", gone);
            client.close();
            return;
        }
        counters.accepted.increment();
        counters.connections.incrementAndGet();
    }

    /** Makes room for a client that comes; false where all are busy. */
    private boolean closeSilent() {
        Connection silent = null;
        for (SelectionKey key : selector.keys()) {
            if (key.attachment() instanceof Connection connection && connection.isOpen() && connection.isIdle()
                    && !selector.selectedKeys().contains(key)
                    && (silent == null || connection.heardAt() - silent.heardAt() < 0)) {
                silent = connection;
            }
        }
        if (silent == null) {
            return false;
        }
        counters.closedAsSilent.increment();
        LOG.log(Level.DEBUG, "a connection of {0} that was silent makes room for another one", silent.asker());
        close(silent);
        return true;
    }

    private void turnAway(SocketChannel client) throws IOException {
        counters.turnedAway.increment();
        try (client) {
            client.configureBlocking(false);
            client.write(ByteBuffer.wrap(Answers.refused(null, Refusal.UNAVAILABLE, "there are " + maxConnections
                    + " connections already, as many as connections in " + ControlSocket.PID + " allows, all of them busy")));
        } catch (IOException gone) {
            LOG.log(Level.DEBUG, "a client of the control socket was gone before it was turned away", gone);
        }
    }

    /** A user's name, or number where there is no name; as much of it as a flow can keep. */
    static String asker(String user) {
        if (user.getBytes(StandardCharsets.UTF_8).length <= BypassRequest.MAX_NAME_BYTES) {
            return user;
        }
        int length = user.length();
        while (user.substring(0, length).getBytes(StandardCharsets.UTF_8).length >= BypassRequest.MAX_NAME_BYTES) {
            length--;
        }
        return user.substring(0, length) + "~";
    }

    private void wake(Connection connection) {
        answered.add(connection);
        selector.wakeup();
    }

    private void chooseReady(Set<Connection> turn) {
        for (SelectionKey key : selector.selectedKeys()) {
            if (key.attachment() instanceof Connection connection) {
                turn.add(connection);
            }
        }
        selector.selectedKeys().clear();
        for (Connection connection = answered.poll(); connection != null; connection = answered.poll()) {
            turn.add(connection);
        }
    }

    /** Leaves those in the set that have something to do in their next turn. */
    private void serve(Set<Connection> turn) {
        turn.removeIf(connection -> {
            try {
                boolean more = connection.isOpen() && connection.serve();
                if (connection.isDone()) {
                    close(connection);
                }
                return !more;
            } catch (IOException e) {
                LOG.log(Level.DEBUG, "a client of the control socket went away", e);
            } catch (RuntimeException | Error e) {
                LOG.log(Level.WARNING, "a connection of the control socket is closed", e);
            }
            close(connection);
            return true;
        });
    }

    private void closeStalled() {
        for (SelectionKey key : selector.keys()) {
            if (key.attachment() instanceof Connection connection && connection.isOpen()
                    && connection.isStalled(STALL_NANOS)) {
                counters.closedAsSlow.increment();
                LOG.log(Level.WARNING, "{0} does not read what the control socket answers: the connection is closed",
                        connection.asker());
                close(connection);
            }
        }
    }

    private void close(Connection connection) {
        if (!connection.isOpen()) {
            return;
        }
        counters.connections.decrementAndGet();
        try {
            connection.close();
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "a connection of the control socket could not be closed", e);
        }
    }
}
