// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import io.flowbypass.xdp.XdpListener;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.osgi.framework.BundleContext;
import org.osgi.util.tracker.ServiceTracker;

/**
 * Looks after the interfaces once a second and tells the listeners. On threads of its own: to attach XDP may take a driver
 * seconds, and the lease must not wait for it; a listener may block, and what is to be mended must not wait for that.
 */
final class Caretaker implements AutoCloseable {
    private static final Logger LOG = System.getLogger(Caretaker.class.getName());
    private static final long INTERVAL_SECONDS = 1;
    private static final long STOP_SECONDS = 5;

    private final NativeDataPlane dataPlane;
    private final ServiceTracker<XdpListener, XdpListener> listeners;
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(
            task -> daemon(task, "flowbypass-interfaces"));
    private final ExecutorService notices = Executors.newSingleThreadExecutor(
            task -> daemon(task, "flowbypass-interface-notices"));

    Caretaker(BundleContext context, NativeDataPlane dataPlane) {
        this.dataPlane = dataPlane;
        listeners = new ServiceTracker<>(context, XdpListener.class, null);
        listeners.open();
        thread.scheduleWithFixedDelay(this::lookAround, INTERVAL_SECONDS, INTERVAL_SECONDS, TimeUnit.SECONDS);
    }

    private static Thread daemon(Runnable task, String name) {
        Thread made = new Thread(task, name);
        made.setDaemon(true);
        return made;
    }

    private void lookAround() {
        try {
            dataPlane.lookAround().forEach(news -> notices.execute(() -> tell(news)));
        } catch (RuntimeException | Error e) { // one that came through would be the last look
            LOG.log(Level.WARNING, "the interfaces cannot be looked at, it is tried again in a second", e);
        }
    }

    private void tell(Consumer<XdpListener> news) {
        for (XdpListener listener : listeners.getTracked().values()) {
            try {
                news.accept(listener);
            } catch (RuntimeException | LinkageError e) {
                LOG.log(Level.WARNING, "XDP listener " + listener.getClass().getName() + " threw; it missed a notice", e);
            }
        }
    }

    /** What it still does must not reach into the next one's start. */
    @Override
    public void close() {
        thread.shutdown();
        try {
            if (!thread.awaitTermination(STOP_SECONDS, TimeUnit.SECONDS)) {
                LOG.log(Level.WARNING, "looking after the interfaces does not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        notices.shutdownNow();
        listeners.close();
    }
}
