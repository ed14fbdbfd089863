// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import io.flowbypass.flow.FlowRecord;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.IntSupplier;

/**
 * Takes CLOSING slots, in batches, through grace to their harvest: one thread, one grace for all that wait, for expiry
 * and release alike. While there is no room for more records, slots stay CLOSING; who waits for one is answered.
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
    private static final long ROOM_MILLIS = 100;
    /** Slots that are harvested together: their records are in memory at a time, whoever takes them. */
    static final int BATCH = 10_000;

    private final Runnable grace;
    private final IntSupplier room;
    private final Consumer<List<Closing>> harvest;
    private final Consumer<List<Closing>> answer;
    private final Thread worker = new Thread(this::run, "flowbypass-closer");
    private List<Closing> waiting = new ArrayList<>();
    private boolean stopped;
    /** The worker's: slots whose grace is over. */
    private final ArrayDeque<Closing> ripe = new ArrayDeque<>();

    /**
     * Prepares the thread.
     *
     * @param grace returns when no running program can still hold a slot that was queued before
     * @param room how many more records may be made by now
     * @param harvest reads the final counters of a batch, delivers its records and answers who waits for them
     * @param answer only answers, of a batch that is harvested later
     */
    Closer(Runnable grace, IntSupplier room, Consumer<List<Closing>> harvest, Consumer<List<Closing>> answer) {
        this.grace = grace;
        this.room = room;
        this.harvest = harvest;
        this.answer = answer;
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
        while (awaitWork()) {
            try {
                int fresh = ripen();
                harvestRipe();
                answerHeld(fresh);
            } catch (RuntimeException | Error e) {
                // Every step may be repeated: counters are only read, and a record keeps its id.
                LOG.log(Level.ERROR, "records of flows that ended could not be made, it is tried again", e);
                pause();
            }
        }
        fail(take());
        fail(ripe);
    }

    /** Waits for slots, or for room; false when stopped. */
    private synchronized boolean awaitWork() {
        try {
            if (waiting.isEmpty() && !ripe.isEmpty() && !stopped) {
                wait(ROOM_MILLIS);
            }
            while (waiting.isEmpty() && ripe.isEmpty() && !stopped) {
                wait();
            }
        } catch (InterruptedException e) {
            stopped = true;
        }
        return !stopped;
    }

    private synchronized void pause() {
        try {
            if (!stopped) {
                wait(RETRY_MILLIS);
            }
        } catch (InterruptedException e) {
            stopped = true;
        }
    }

    private synchronized boolean isStopped() {
        return stopped;
    }

    private synchronized List<Closing> take() {
        List<Closing> taken = waiting;
        waiting = new ArrayList<>();
        return taken;
    }

    /** Lets the grace of all that waits go by; returns how many became ripe. */
    private int ripen() {
        List<Closing> batch = take();
        if (batch.isEmpty()) {
            return 0;
        }
        try {
            grace.run();
        } catch (RuntimeException | Error e) {
            synchronized (this) {
                waiting.addAll(0, batch);
            }
            throw e;
        }
        ripe.addAll(batch);
        return batch.size();
    }

    private void harvestRipe() {
        int most = Math.min(BATCH, room.getAsInt());
        while (most > 0 && !ripe.isEmpty() && !isStopped()) {
            List<Closing> batch = ripe.stream().limit(most).toList();
            harvest.accept(batch);
            batch.forEach(harvested -> ripe.remove());
            most = Math.min(BATCH, room.getAsInt());
        }
    }

    private void answerHeld(int fresh) {
        List<Closing> asked = new ArrayList<>();
        Iterator<Closing> last = ripe.descendingIterator();
        for (int i = 0; i < fresh && last.hasNext(); i++) {
            Closing held = last.next();
            if (held.asked() != null) {
                asked.add(held);
            }
        }
        if (!asked.isEmpty()) {
            answer.accept(asked);
        }
    }

    private static void fail(Iterable<Closing> batch) {
        for (Closing closing : batch) {
            if (closing.asked() != null) {
                closing.asked().completeExceptionally(new IllegalStateException(
                        "the flow table is gone; the flow's record reaches the listeners when it is back"));
            }
        }
    }
}
