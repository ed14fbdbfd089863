// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import io.flowbypass.flow.FlowRecord;
import io.flowbypass.table.internal.Closer.Closing;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Completes what releases wait for, on threads of its own: that must not delay the next harvest. Not the common pool: on up to
 * two CPUs CompletableFuture starts a thread for each task instead. Several threads, because what depends on a release may wait for
 * another one.
 */
final class Answers {
    private static final Logger LOG = System.getLogger(Answers.class.getName());
    private static final int THREADS = 4;

    private final ExecutorService threads = Executors.newFixedThreadPool(THREADS, task -> {
        Thread thread = new Thread(task, "flowbypass-released");
        thread.setDaemon(true);
        return thread;
    });

    /** Completes the releases of a batch, with its records in the same order. */
    void give(List<Closing> batch, List<FlowRecord> records) {
        try {
            if (batch.stream().anyMatch(closed -> closed.asked() != null)) {
                threads.execute(() -> complete(batch, records));
            }
        } catch (RuntimeException | Error e) { // perhaps delivered and freed: nobody may harvest it again
            LOG.log(Level.ERROR, "who waits for the release of " + batch.size() + " flows gets no answer", e);
        }
    }

    private static void complete(List<Closing> batch, List<FlowRecord> records) {
        for (int i = 0; i < batch.size(); i++) {
            if (batch.get(i).asked() != null) {
                batch.get(i).asked().complete(Optional.of(records.get(i)));
            }
        }
    }

    /** Takes no more; what it has is completed. */
    void stop() {
        threads.shutdown();
    }
}
