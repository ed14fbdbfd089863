// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import io.flowbypass.flow.FlowListener;
import io.flowbypass.flow.FlowRecord;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One listener's queue and thread. A durable outlet keeps every batch until its listener took it, whether the listener
 * is there or not: the slots of those flows bound the queue. Any other keeps {@value #LIMIT} records and loses newer ones.
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

    private final String name;
    private final boolean durable;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<Batch> queue = new ArrayDeque<>();
    private FlowListener listener;
    private Thread worker;
    private int waiting;
    private long lost;

    Outlet(String name, boolean durable) {
        this.name = name;
        this.durable = durable;
    }

    boolean isDurable() {
        return durable;
    }

    /** Starts delivering to a listener. */
    void connect(FlowListener value) {
        lock.lock();
        try {
            listener = value;
            worker = new Thread(() -> deliver(value), "flowbypass-listener-" + name);
            worker.setDaemon(true);
            worker.start();
        } finally {
            lock.unlock();
        }
    }

    /** Stops delivering to a listener; a batch in its hands is not counted as taken. */
    void disconnect(FlowListener value) {
        lock.lock();
        try {
            if (listener == value) {
                listener = null;
                changed.signalAll();
                worker.interrupt();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Stops delivering; what is queued stays queued. */
    void close() {
        FlowListener last;
        lock.lock();
        try {
            last = listener;
        } finally {
            lock.unlock();
        }
        if (last != null) {
            disconnect(last);
        }
    }

    boolean isConnected() {
        lock.lock();
        try {
            return listener != null;
        } finally {
            lock.unlock();
        }
    }

    /** Queues a batch; {@code taken} runs when the listener took it, or at once when it is lost. Never blocks. */
    void offer(List<FlowRecord> records, Runnable taken) {
        lock.lock();
        try {
            if (durable || waiting + records.size() <= LIMIT) {
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

    /** Records that the listener lost. */
    long lost() {
        lock.lock();
        try {
            return lost;
        } finally {
            lock.unlock();
        }
    }

    /** Records that the listener did not take yet. */
    int waiting() {
        lock.lock();
        try {
            return waiting;
        } finally {
            lock.unlock();
        }
    }

    private void deliver(FlowListener target) {
        long retryMillis = FIRST_RETRY_MILLIS;
        try {
            for (Batch next = await(target); next != null; next = await(target)) {
                if (hand(next, target)) {
                    retryMillis = FIRST_RETRY_MILLIS;
                    remove(next, target);
                } else {
                    pause(target, retryMillis);
                    retryMillis = Math.min(retryMillis * 2, LAST_RETRY_MILLIS);
                }
            }
        } catch (InterruptedException e) {
            LOG.log(Level.DEBUG, "listener {0} left", name);
        }
    }

    private boolean hand(Batch delivery, FlowListener target) {
        try {
            target.ended(delivery.records());
            return true;
        } catch (RuntimeException | Error e) {
            LOG.log(Level.WARNING, "listener " + name + " did not take " + delivery.records().size()
                    + " records, they come again", e);
            return false;
        }
    }

    /** The next batch, or null when the listener is gone. */
    private Batch await(FlowListener target) throws InterruptedException {
        lock.lock();
        try {
            while (listener == target && queue.isEmpty()) {
                changed.await();
            }
            return listener == target ? queue.peek() : null;
        } finally {
            lock.unlock();
        }
    }

    private void pause(FlowListener target, long millis) throws InterruptedException {
        long left = TimeUnit.MILLISECONDS.toNanos(millis);
        lock.lock();
        try {
            while (listener == target && left > 0) {
                left = changed.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }

    private void remove(Batch taken, FlowListener target) {
        lock.lock();
        try {
            if (listener != target) {
                return;
            }
            queue.remove();
            waiting -= taken.records().size();
        } finally {
            lock.unlock();
        }
        taken.taken().run();
    }
}
