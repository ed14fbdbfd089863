// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.service.event.Event;
import org.osgi.service.event.EventConstants;
import org.osgi.service.event.EventHandler;

/** A bundle that keeps the events of flow records, as text, for whoever is in this JVM: topic, and properties in order. */
public final class RecordEvents implements BundleActivator, EventHandler {
    private static final String PROPERTY = "flowbypass.test.events";

    /** Forgets what it kept. */
    static void forget() {
        System.getProperties().remove(PROPERTY);
    }

    /** What it kept. */
    @SuppressWarnings("unchecked")
    static List<String> kept() {
        return (List<String>) System.getProperties().computeIfAbsent(PROPERTY, key -> new CopyOnWriteArrayList<String>());
    }

    @Override
    public void start(BundleContext context) {
        context.registerService(EventHandler.class, this,
                new Hashtable<>(Map.of(EventConstants.EVENT_TOPIC, "io/flowbypass/record/*")));
    }

    @Override
    public void stop(BundleContext context) {
        // The framework takes the service back.
    }

    @Override
    public void handleEvent(Event event) {
        Map<String, Object> properties = new TreeMap<>();
        for (String name : event.getPropertyNames()) {
            properties.put(name, event.getProperty(name));
        }
        kept().add(event.getTopic() + " " + properties);
    }
}
