// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.records.internal;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.osgi.framework.BundleContext;
import org.osgi.service.event.Event;
import org.osgi.service.event.EventAdmin;
import org.osgi.util.tracker.ServiceTracker;

/**
 * Publishes records through the EventAdmin, while there is one. That may be installed later than this bundle, or never:
 * nothing but this class needs its package, and nothing here links to it before the service is there.
 */
final class Events implements AutoCloseable {
    /** Records of the event {@code end} have the topic {@code io/flowbypass/record/END}. */
    static final String TOPIC = "io/flowbypass/record/";
    private static final Logger LOG = System.getLogger(Events.class.getName());
    private static final String SERVICE = "org.osgi.service.event.EventAdmin";

    private final ServiceTracker<Object, Object> admin;
    private boolean failing;

    Events(BundleContext context) {
        admin = new ServiceTracker<>(context, SERVICE, null);
        admin.open();
    }

    /** Queues an event; its properties are the record's fields, those in an object as {@code flow.start}. For one thread. */
    void post(Map<String, Object> record) {
        Object there = admin.getService();
        if (there == null) {
            return;
        }
        try {
            Publisher.post(there, record);
            failing = false;
        } catch (RuntimeException | Error e) { // the record is in the file already
            if (!failing) {
                LOG.log(Level.WARNING, "flow records are not published as events", e);
            }
            failing = true;
        }
    }

    @Override
    public void close() {
        admin.close();
    }

    private static final class Publisher {
        static void post(Object admin, Map<String, Object> record) {
            Map<String, Object> properties = new HashMap<>();
            flatten("", record, properties);
            ((EventAdmin) admin).postEvent(
                    new Event(TOPIC + record.get(Fields.EVENT).toString().toUpperCase(Locale.ROOT), properties));
        }

        private static void flatten(String prefix, Map<?, ?> fields, Map<String, Object> to) {
            fields.forEach((name, value) -> {
                if (value instanceof Map<?, ?> more) {
                    flatten(prefix + name + ".", more, to);
                } else {
                    to.put(prefix + name, value);
                }
            });
        }
    }
}
