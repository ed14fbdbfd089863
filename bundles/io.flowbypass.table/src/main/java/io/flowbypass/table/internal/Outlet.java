// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import io.flowbypass.flow.FlowListener;
import io.flowbypass.flow.FlowRecord;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The queue of one listener's name, and the thread that empties it. A durable outlet keeps every batch until its listener
 * took it, whether the listener is there or not; no more flows that hold slots are harvested from {@value #LIMIT} waiting
 * records on. Any other keeps as many and loses newer ones. Thread-safe; calls nobody while it holds its lock.
 */
final class Outlet {
    /** Records that an outlet keeps for a listener that is slower than the table. */
    static final int LIMIT = 100_000;
    private static final long FIRST_RETRY_MILLIS = 100;
    private static final long LAST_RETRY_MILLIS = 10_000;
    private static final Logger LOG = System.getLogger(Outlet.class.getName());

    /** A batch, and what to do once the listener took it. */
    private record Batch(List<FlowRecord> records, Runnable taken) {
    }

    /** A listener that is there, and its thread. The same listener may come again: that is another connection. */
    private final class Connection {
        private final FlowListener listener;
        private final Thread worker = new Thread(() -> deliver(this), "flowbypass-listener-" + name);

        Connection(FlowListener listener) {
            this.listener = listener;
            worker.setDaemon(true);
        }
    }

    private final String name;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<Batch> queue = new ArrayDeque<>();
    private boolean durable;
    private Connection connection;
    private int waiting;
    private long lost;
    /** Batches that were taken by now, and by the last look; looks that found no more, and some waiting. */
    private long taken;
    private long takenBefore;
    private int looks;

    Outlet(String name) {
        this.name = name;
    }

    String name() {
        return name;
    }

    boolean isDurable() {
        lock.lock();
        try {
            return durable;
        } finally {
            lock.unlock();
        }
    }

    /** Makes it durable or not. What waits for a listener that is not there is given up when it no longer is. */
    void setDurable(boolean value) {
        List<Batch> givenUp = List.of();
        lock.lock();
        try {
            durable = value;
            if (!durable && connection == null) {
                givenUp = List.copyOf(queue);
                lost += waiting;
                waiting = 0;
                queue.clear();
            }
        } finally {
            lock.unlock();
        }
        givenUp.forEach(batch -> batch.taken().run());
    }

    /** Starts delivering to a listener. */
    void connect(FlowListener listener) {
        lock.lock();
        try {
            connection = new Connection(listener);
            connection.worker.start();
        } finally {
            lock.unlock();
        }
    }

    /** Stops delivering; what is queued stays queued, and a batch in the listener's hands is not counted as taken. */
    void disconnect() {
        lock.lock();
        try {
            if (connection != null) {
                connection.worker.interrupt();
                connection = null;
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Queues a batch of flows that hold no slots: lost when the queue is full, of a durable outlet too. Never blocks. */
    void offer(List<FlowRecord> records) {
        offer(records, () -> { }, false);
    }

    /** Queues a batch; {@code taken} runs when the listener took it, or at once when it is lost. Never blocks. */
    void offer(List<FlowRecord> records, Runnable taken) {
        offer(records, taken, true);
    }

    private void offer(List<FlowRecord> records, Runnable taken, boolean mayBeDurable) {
        lock.lock();
        try {
            if (durable && mayBeDurable || waiting + records.size() <= LIMIT) {
                queue.add(new Batch(records, taken));
                waiting += records.size();
                changed.signalAll();
                return;
            }
            if (lost == 0) {
                LOG.log(Level.WARNING, "listener {0} is too slow: it loses records from now on", name);
            }
            lost += records.size();
        } finally {
            lock.unlock();
        }
        taken.run();
    }

    /** Records that the listener lost; of one that is gone for good, also those that it did not take yet. */
    long lost(boolean gone) {
        lock.lock();
        try {
            return gone ? lost + waiting : lost;
        } finally {
            lock.unlock();
        }
    }

    /** Records that wait for the listener. */
    int waiting() {
        lock.lock();
        try {
            return waiting;
        } finally {
            lock.unlock();
        }
    }

    /** Whether it is durable, records wait, and none was taken since this many calls. */
    Optional<Delivery.Stuck> stuck(int calls) {
        lock.lock();
        try {
            boolean stands = durable && waiting > 0 && taken == takenBefore;
            takenBefore = taken;
            looks = stands ? looks + 1 : 0;
            return looks < calls ? Optional.empty() : Optional.of(new Delivery.Stuck(name, connection != null, waiting));
        } finally {
            lock.unlock();
        }
    }

    private void deliver(Connection mine) {
        long retryMillis = FIRST_RETRY_MILLIS;
        try {
            for (Batch next = await(mine); next != null; next = await(mine)) {
                if (hand(next, mine, retryMillis == FIRST_RETRY_MILLIS ? Level.WARNING : Level.DEBUG)) {
                    retryMillis = FIRST_RETRY_MILLIS;
                    remove(next, mine);
                } else {
                    pause(mine, retryMillis);
                    retryMillis = Math.min(retryMillis * 2, LAST_RETRY_MILLIS);
                }
            }
        } catch (InterruptedException e) {
            LOG.log(Level.DEBUG, "listener {0} left", name);
        }
    }

    private boolean hand(Batch batch, Connection mine, Level troubles) {
        try {
            mine.listener.ended(batch.records());
            return true;
        } catch (RuntimeException | Error e) {
            LOG.log(troubles, "listener " + name + " did not take " + batch.records().size()
                    + " records, they come again", e);
            return false;
        }
    }

    /** The next batch, or null when the connection is over. */
    private Batch await(Connection mine) throws InterruptedException {
        lock.lock();
        try {
            while (connection == mine && queue.isEmpty()) {
                changed.await();
            }
            return connection == mine ? queue.peek() : null;
        } finally {
            lock.unlock();
        }
    }

    private void pause(Connection mine, long millis) throws InterruptedException {
        long left = TimeUnit.MILLISECONDS.toNanos(millis);
        lock.lock();
        try {
            while (connection == mine && left > 0) {
                left = changed.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }

    private void remove(Batch batch, Connection mine) {
        lock.lock();
        try {
            if (connection != mine) {
                return;
            }
            queue.remove();
            waiting -= batch.records().size();
            taken++;
        } finally {
            lock.unlock();
        }
        batch.taken().run();
    }
}
