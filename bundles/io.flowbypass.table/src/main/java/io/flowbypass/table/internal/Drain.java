// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import io.flowbypass.flow.FlowRecord;
import io.flowbypass.maps.Gate;
import io.flowbypass.xdp.OldTable;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Makes records of the flows of a table that was moved aside, on a thread of its own, and removes it once every durable
 * listener took them all. What ends before that leaves the table, and the next one delivers all again, with the same ids.
 */
final class Drain {
    /** Records that are handed over together; the next ones are read when these were taken. */
    static final int BATCH = 1024;
    private static final Logger LOG = System.getLogger(Drain.class.getName());
    private static final long STOP_SECONDS = 5;
    /** How long listeners that are not durable are waited for, after each batch. */
    private static final int PATIENCE_MILLIS = 10_000;
    private static final int POLL_MILLIS = 10;

    private final OldTable table;
    private final Gate gate;
    private final Delivery delivery;
    private final Runnable grace;
    private final Thread worker = new Thread(this::run, "flowbypass-drain");

    /**
     * Prepares the thread.
     *
     * @param gate a new one, for the table's memory; is closed in the end
     * @param grace returns when no running program can still count in the table
     */
    Drain(OldTable table, Gate gate, Delivery delivery, Runnable grace) {
        this.table = table;
        this.gate = gate;
        this.delivery = delivery;
        this.grace = grace;
        worker.setDaemon(true);
    }

    void start() {
        worker.start();
    }

    /** Stops, wherever it is. */
    void stop() {
        worker.interrupt();
        try {
            worker.join(TimeUnit.SECONDS.toMillis(STOP_SECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        gate.close();
    }

    private void run() {
        try {
            if (!delivery.hasDurable()) {
                LOG.log(Level.WARNING, "durable.listeners in io.flowbypass.table.cfg is empty: only listeners that are there by now"
                        + " get the records of the table that was moved aside");
            }
            grace.run();
            deliverAll(new OldFlows(table, gate));
            table.remove();
        } catch (InterruptedException stopped) {
            LOG.log(Level.DEBUG, "the table that was moved aside stays for the next start", stopped);
        } catch (RuntimeException failed) {
            LOG.log(Level.ERROR, "the records of the table that was moved aside could not be made; it stays for the next"
                    + " start", failed);
        } finally {
            gate.close();
        }
    }

    private void deliverAll(OldFlows flows) throws InterruptedException {
        long count = 0;
        long packets = 0;
        for (int slot = 0; slot < flows.capacity();) {
            List<FlowRecord> batch = new ArrayList<>();
            slot = read(flows, slot, batch);
            count += batch.size();
            packets += batch.stream().mapToLong(record -> record.flow().packets()).sum();
            if (!batch.isEmpty()) {
                CountDownLatch taken = new CountDownLatch(1);
                delivery.deliver(List.copyOf(batch), taken::countDown);
                taken.await();
                awaitTheRest();
            }
        }
        LOG.log(Level.INFO, "drained the table that was moved aside: {0} flows with {1} packets, none of them bypassed any"
                + " more", count, packets);
    }

    /** So that those that are not durable lose none by being slower than this; but not for ever. */
    private void awaitTheRest() throws InterruptedException {
        for (int waited = 0; waited < PATIENCE_MILLIS && delivery.longestQueue() > BATCH; waited += POLL_MILLIS) {
            Thread.sleep(POLL_MILLIS);
        }
    }

    /** Fills a batch from this slot on; returns where the next one begins. */
    private int read(OldFlows flows, int first, List<FlowRecord> batch) throws InterruptedException {
        if (!gate.enter()) {
            throw new InterruptedException();
        }
        try {
            int slot = first;
            for (; slot < flows.capacity() && batch.size() < BATCH; slot++) {
                flows.record(slot).ifPresent(batch::add);
            }
            return slot;
        } finally {
            gate.exit();
        }
    }
}
