// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import javax.management.Attribute;
import javax.management.JMException;
import javax.management.MBeanException;
import javax.management.MBeanOperationInfo;
import javax.management.MBeanServer;
import javax.management.MalformedObjectNameException;
import javax.management.ObjectName;
import org.awaitility.Awaitility;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceReference;
import org.osgi.util.tracker.ServiceTracker;

/** The product as it runs in this framework, used through its services and MBeans. */
public final class Product implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(20);

    private final BundleContext context = FrameworkUtil.getBundle(Product.class).getBundleContext();
    private final MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    private final List<String> attached = new ArrayList<>();
    private final long bypassedBefore;

    /** Waits until everything runs. */
    public Product() {
        eventually(() -> server.isRegistered(name("FlowTable")) && server.isRegistered(name("Expiry"))
                && server.isRegistered(name("Xdp")) && server.isRegistered(name("Policy,name=idle")),
                "all MBeans are there");
        bypassedBefore = (Long) attribute("FlowTable", "BypassedPackets");
    }

    /** Packets cut before this test. */
    public long bypassedBefore() {
        return bypassedBefore;
    }

    /** Attaches over JMX; {@link #close()} detaches. */
    public void attach(String cable, String mode) {
        invoke("Xdp", "attach", cable, mode);
        attached.add(cable);
    }

    /** Detaches over JMX. */
    public void detach(String cable) {
        invoke("Xdp", "detach", cable);
        attached.remove(cable);
    }

    /** A service, once it is there. */
    public <T> T service(Class<T> type) {
        ServiceTracker<T, T> tracker = new ServiceTracker<>(context, type, null);
        tracker.open();
        try {
            T service = tracker.waitForService(LIMIT.toMillis());
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

    /** Whether a service is there now. */
    public boolean has(Class<?> type) {
        ServiceReference<?> reference = context.getServiceReference(type);
        return reference != null;
    }

    /** A bundle of this framework. */
    public Bundle bundle(String symbolicName) {
        return Arrays.stream(context.getBundles()).filter(bundle -> bundle.getSymbolicName().equals(symbolicName))
                .findFirst().orElseThrow(() -> new IllegalStateException("no bundle " + symbolicName));
    }

    /** Stops a bundle. */
    public void stop(String symbolicName) {
        try {
            bundle(symbolicName).stop(Bundle.STOP_TRANSIENT);
        } catch (BundleException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Starts a bundle. */
    public void start(String symbolicName) {
        try {
            bundle(symbolicName).start(Bundle.START_TRANSIENT);
        } catch (BundleException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Calls an operation of {@code io.flowbypass:type=} as JConsole does, finding its signature in the MBeanInfo. */
    public Object invoke(String type, String operation, Object... arguments) {
        try {
            MBeanOperationInfo found = Arrays.stream(server.getMBeanInfo(name(type)).getOperations())
                    .filter(info -> info.getName().equals(operation)
                            && info.getSignature().length == arguments.length)
                    .findFirst().orElseThrow(() -> new IllegalStateException("no operation " + operation));
            String[] signature = Arrays.stream(found.getSignature()).map(parameter -> parameter.getType())
                    .toArray(String[]::new);
            return server.invoke(name(type), operation, arguments, signature);
        } catch (JMException e) {
            throw unwrapped(e);
        }
    }

    /** Reads an attribute. */
    public Object attribute(String type, String attribute) {
        try {
            return server.getAttribute(name(type), attribute);
        } catch (JMException e) {
            throw unwrapped(e);
        }
    }

    /** Writes an attribute. */
    public void setAttribute(String type, String attribute, Object value) {
        try {
            server.setAttribute(name(type), new Attribute(attribute, value));
        } catch (JMException e) {
            throw unwrapped(e);
        }
    }

    private static RuntimeException unwrapped(JMException e) {
        return e instanceof MBeanException && e.getCause() instanceof RuntimeException cause ? cause
                : new IllegalStateException(e);
    }

    private static ObjectName name(String type) {
        try {
            return new ObjectName("io.flowbypass:type=" + type);
        } catch (MalformedObjectNameException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** Waits for a condition. */
    public static void eventually(Callable<Boolean> condition, String what) {
        Awaitility.await(what).atMost(LIMIT).pollInterval(Duration.ofMillis(20)).until(condition);
    }

    /** Packets of a verdict. */
    public long verdict(String attribute) {
        return (Long) Optional.ofNullable(attribute("Xdp", attribute)).orElseThrow();
    }

    @Override
    public void close() {
        List.copyOf(attached).forEach(this::detach);
        invoke("FlowTable", "flush");
    }
}
