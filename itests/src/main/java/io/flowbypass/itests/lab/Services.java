// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.util.tracker.ServiceTracker;

/** Services of this framework, as this bundle sees them until it stops. */
public final class Services {
    private static final BundleContext CONTEXT = FrameworkUtil.getBundle(Services.class).getBundleContext();
    private static final long LIMIT_MILLIS = 60_000;

    private Services() {
    }

    /** A service, once it is there. */
    public static <T> T waitFor(Class<T> type) {
        ServiceTracker<T, T> tracker = new ServiceTracker<>(CONTEXT, type, null);
        tracker.open();
        try {
            if (tracker.waitForService(LIMIT_MILLIS) == null) {
                throw new IllegalStateException("there is no " + type.getName());
            }
            // Not the tracker's: a service of the bundle's own is gone when nobody holds it.
            return CONTEXT.getService(tracker.getServiceReference());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } finally {
            tracker.close();
        }
    }
}
