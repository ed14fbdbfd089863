// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.expiry.internal;

import io.flowbypass.expiry.ExpiryListener;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Logs what an operator should know, and tells the listeners in the same order on a thread of its own, so that nobody
 * waits for a listener. Thread-safe.
 */
final class Notices {
    private static final Logger LOG = System.getLogger(Notices.class.getName());

    private final List<ExpiryListener> listeners = new CopyOnWriteArrayList<>();
    private final ExecutorService thread = new ThreadPoolExecutor(0, 1, 10, TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(), run -> daemon(run, "flowbypass-expiry-notices"));

    /** A thread that does not keep the JVM from ending. */
    static Thread daemon(Runnable run, String name) {
        Thread thread = new Thread(run, name);
        thread.setDaemon(true);
        return thread;
    }

    void add(ExpiryListener listener) {
        listeners.add(listener);
    }

    void remove(ExpiryListener listener) {
        listeners.remove(listener);
    }

    void swapped(List<String> before, List<String> now, String why) {
        LOG.log(Level.INFO, "active policies were {0} and are now {1}: {2}", before, now, why);
        tell(listener -> listener.policiesSwapped(before, now, why));
    }

    void quarantined(String policy, String why) {
        LOG.log(Level.WARNING, why);
        tell(listener -> listener.policyQuarantined(policy, why));
    }

    void pressure(Level level, String what) {
        LOG.log(level, what);
        tell(listener -> listener.pressure(what));
    }

    /** Drops what was not told yet. */
    void close() {
        thread.shutdownNow();
    }

    private synchronized void tell(Consumer<ExpiryListener> message) {
        if (!thread.isShutdown()) {
            thread.execute(() -> listeners.forEach(listener -> tell(listener, message)));
        }
    }

    private static void tell(ExpiryListener listener, Consumer<ExpiryListener> message) {
        try {
            message.accept(listener);
        } catch (RuntimeException e) {
            LOG.log(Level.WARNING, "expiry listener " + listener.getClass().getName() + " threw; it missed a notice", e);
        }
    }
}
