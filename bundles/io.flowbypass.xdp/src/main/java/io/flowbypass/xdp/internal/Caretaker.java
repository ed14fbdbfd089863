// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import io.flowbypass.xdp.XdpListener;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.osgi.framework.BundleContext;
import org.osgi.util.tracker.ServiceTracker;

/**
 * Looks after the interfaces once a second and tells the listeners. On a thread of its own: to attach XDP may take a driver
 * seconds, and the lease must not wait for it.
 */
final class Caretaker implements AutoCloseable {
    private static final Logger LOG = System.getLogger(Caretaker.class.getName());
    private static final long INTERVAL_SECONDS = 1;
    private static final long STOP_SECONDS = 5;

    private final NativeDataPlane dataPlane;
    private final ServiceTracker<XdpListener, XdpListener> listeners;
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread made = new Thread(task, "flowbypass-interfaces");
        made.setDaemon(true);
        return made;
    });

    Caretaker(BundleContext context, NativeDataPlane dataPlane) {
        this.dataPlane = dataPlane;
        listeners = new ServiceTracker<>(context, XdpListener.class, null);
        listeners.open();
        thread.scheduleWithFixedDelay(this::lookAround, INTERVAL_SECONDS, INTERVAL_SECONDS, TimeUnit.SECONDS);
    }

    private void lookAround() {
        try {
            dataPlane.lookAtInterfaces().forEach(this::tell);
        } catch (RuntimeException e) {
            LOG.log(Level.WARNING, "the interfaces cannot be looked at, it is tried again in a second", e);
        }
    }

    private void tell(Consumer<XdpListener> news) {
        for (XdpListener listener : listeners.getTracked().values()) {
            try {
                news.accept(listener);
            } catch (RuntimeException e) {
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
        listeners.close();
    }
}
