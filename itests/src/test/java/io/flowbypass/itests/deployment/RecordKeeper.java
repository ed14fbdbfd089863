// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import io.flowbypass.flow.FlowListener;
import io.flowbypass.flow.FlowRecord;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

/** A bundle with the flow listener {@code keeper}: it keeps all records, as text, for whoever is in this JVM. */
public final class RecordKeeper implements BundleActivator, FlowListener {
    /** The listener's name. */
    static final String NAME = "keeper";
    private static final String PROPERTY = "flowbypass.test.records";

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
        context.registerService(FlowListener.class, this, new Hashtable<>(Map.of(FlowListener.NAME, NAME)));
    }

    @Override
    public void stop(BundleContext context) {
        // The framework takes the service back.
    }

    @Override
    public void ended(List<FlowRecord> records) {
        records.forEach(record -> kept().add(record.toString()));
    }
}
