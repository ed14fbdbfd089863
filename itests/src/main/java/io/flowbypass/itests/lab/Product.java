// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import java.util.ArrayList;
import java.util.List;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.util.tracker.ServiceTracker;

/** The product as it runs in this framework, used through its services and MBeans. */
public final class Product implements AutoCloseable {
    /** Where the tests' pins are, as src/main/etc says. */
    public static final String PIN_ROOT = "/sys/fs/bpf/flowbypass-itests";
    /** Removes the pins once the last test is done. */
    private static final Reaper PINS = new Reaper("rm -rf " + PIN_ROOT);
    private static final long LIMIT_MILLIS = 60_000;

    private final BundleContext context = FrameworkUtil.getBundle(Product.class).getBundleContext();
    private final List<String> attached = new ArrayList<>();
    private final long bypassedBefore;

    /** Waits until everything runs. */
    public Product() {
        Root.required();
        Jmx.awaitAll();
        bypassedBefore = (Long) Jmx.attribute("FlowTable", "BypassedPackets");
    }

    /** Packets cut before this test. */
    public long bypassedBefore() {
        return bypassedBefore;
    }

    /** Attaches over JMX; {@link #close()} detaches. */
    public void attach(String cable, String mode) {
        Jmx.invoke("Xdp", "attach", cable, mode);
        attached.add(cable);
    }

    /** Detaches over JMX. */
    public void detach(String cable) {
        Jmx.invoke("Xdp", "detach", cable);
        attached.remove(cable);
    }

    /** A service, once it is there. */
    public <T> T service(Class<T> type) {
        ServiceTracker<T, T> tracker = new ServiceTracker<>(context, type, null);
        tracker.open();
        try {
            T service = tracker.waitForService(LIMIT_MILLIS);
            if (service == null) {
                throw new IllegalStateException("there is no " + type.getName());
            }
            return service;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } finally {
            tracker.close();
        }
    }

    @Override
    public void close() {
        List.copyOf(attached).forEach(this::detach);
        Jmx.invoke("FlowTable", "flush");
    }
}
