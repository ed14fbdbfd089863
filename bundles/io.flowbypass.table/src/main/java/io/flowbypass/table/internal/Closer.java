// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import io.flowbypass.flow.FlowRecord;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Takes CLOSING slots, in batches, through grace to their harvest: one thread, one grace for all that wait, for expiry
 * and release alike.
 */
final class Closer {
    /**
     * A slot whose cell is cleared.
     *
     * @param slot the slot
     * @param detail a few words on why it ends
     * @param asked completes with the record; null when nobody waits
     */
    record Closing(int slot, String detail, CompletableFuture<Optional<FlowRecord>> asked) {
    }

    private static final Logger LOG = System.getLogger(Closer.class.getName());
    private static final long STOP_SECONDS = 5;
    private static final long RETRY_MILLIS = 1000;

    private final Runnable grace;
    private final Consumer<List<Closing>> harvest;
    private final Thread worker = new Thread(this::run, "flowbypass-closer");
    private List<Closing> waiting = new ArrayList<>();
    private boolean stopped;

    /**
     * Prepares the thread.
     *
     * @param grace returns when no running program can still hold a slot that was queued before
     * @param harvest reads the final counters of a batch and delivers its records
     */
    Closer(Runnable grace, Consumer<List<Closing>> harvest) {
        this.grace = grace;
        this.harvest = harvest;
        worker.setDaemon(true);
    }

    void start() {
        worker.start();
    }

    void add(Closing closing) {
        synchronized (this) {
            if (!stopped) {
                waiting.add(closing);
                notifyAll();
                return;
            }
        }
        fail(List.of(closing));
    }

    /** Stops after the batch in hand. What still waits stays CLOSING in the table, where the next start finds it. */
    void stop() {
        List<Closing> left;
        synchronized (this) {
            stopped = true;
            left = waiting;
            waiting = new ArrayList<>();
            notifyAll();
        }
        fail(left);
        try {
            worker.join(TimeUnit.SECONDS.toMillis(STOP_SECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        for (List<Closing> batch = next(); !batch.isEmpty(); batch = next()) {
            try {
                grace.run();
                harvest.accept(batch);
            } catch (RuntimeException | Error e) {
                // Every step may be repeated: counters are only read, and a record keeps its id.
                LOG.log(Level.ERROR, "the records of " + batch.size() + " flows could not be made, it is tried again", e);
                putBack(batch);
            }
        }
    }

    private void putBack(List<Closing> batch) {
        synchronized (this) {
            if (!stopped) {
                waiting.addAll(0, batch);
                try {
                    wait(RETRY_MILLIS);
                    return;
                } catch (InterruptedException e) {
                    stopped = true;
                }
            }
        }
        fail(batch);
    }

    /** Waits for a batch; empty when stopped. */
    private synchronized List<Closing> next() {
        try {
            while (waiting.isEmpty() && !stopped) {
                wait();
            }
        } catch (InterruptedException e) {
            return List.of();
        }
        List<Closing> batch = waiting;
        waiting = new ArrayList<>();
        return batch;
    }

    private static void fail(List<Closing> batch) {
        for (Closing closing : batch) {
            if (closing.asked() != null) {
                closing.asked().completeExceptionally(new IllegalStateException(
                        "the flow table is gone; the flow's record reaches the listeners when it is back"));
            }
        }
    }
}
