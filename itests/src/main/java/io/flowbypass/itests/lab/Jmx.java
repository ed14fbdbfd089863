// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.Callable;
import javax.management.Attribute;
import javax.management.JMException;
import javax.management.MBeanOperationInfo;
import javax.management.MBeanServer;
import javax.management.MalformedObjectNameException;
import javax.management.ObjectName;
import javax.management.RuntimeMBeanException;
import org.awaitility.Awaitility;

/** The product's MBeans in this JVM, used as JConsole uses them. */
public final class Jmx {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final MBeanServer SERVER = ManagementFactory.getPlatformMBeanServer();

    private Jmx() {
    }

    /** Waits until every MBean of the product is there. */
    public static void awaitAll() {
        eventually(() -> isThere("FlowTable") && isThere("Expiry") && isThere("Xdp") && isThere("Policy,name=idle"),
                "all MBeans are there");
    }

    /** Whether {@code io.flowbypass:type=} is there. */
    public static boolean isThere(String type) {
        return SERVER.isRegistered(name(type));
    }

    /** Calls an operation of {@code io.flowbypass:type=} as JConsole does, finding its signature in the MBeanInfo. */
    public static Object invoke(String type, String operation, Object... arguments) {
        try {
            MBeanOperationInfo found = Arrays.stream(SERVER.getMBeanInfo(name(type)).getOperations())
                    .filter(info -> info.getName().equals(operation)
                            && info.getSignature().length == arguments.length)
                    .findFirst().orElseThrow(() -> new IllegalStateException("no operation " + operation));
            String[] signature = Arrays.stream(found.getSignature()).map(parameter -> parameter.getType())
                    .toArray(String[]::new);
            return SERVER.invoke(name(type), operation, arguments, signature);
        } catch (JMException | RuntimeMBeanException e) {
            throw unwrapped(e);
        }
    }

    /** Reads an attribute. */
    public static Object attribute(String type, String attribute) {
        try {
            return SERVER.getAttribute(name(type), attribute);
        } catch (JMException | RuntimeMBeanException e) {
            throw unwrapped(e);
        }
    }

    /** Writes an attribute. */
    public static void setAttribute(String type, String attribute, Object value) {
        try {
            SERVER.setAttribute(name(type), new Attribute(attribute, value));
        } catch (JMException | RuntimeMBeanException e) {
            throw unwrapped(e);
        }
    }

    /** What the MBean itself threw. */
    private static RuntimeException unwrapped(Exception e) {
        return e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e);
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
}
