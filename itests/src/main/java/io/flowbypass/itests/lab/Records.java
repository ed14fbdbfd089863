// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import io.flowbypass.flow.FlowListener;
import io.flowbypass.flow.FlowRecord;
import java.util.ArrayList;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceRegistration;

/** The records of the flows that end from now on, until it is closed. */
public final class Records implements FlowListener, AutoCloseable {
    private final List<FlowRecord> ended = new ArrayList<>();
    private final ServiceRegistration<FlowListener> registration;

    /** Begins to listen. */
    public Records() {
        registration = FrameworkUtil.getBundle(Records.class).getBundleContext().registerService(FlowListener.class, this,
                new Hashtable<>(Map.of(FlowListener.NAME, "itests")));
    }

    @Override
    public synchronized void ended(List<FlowRecord> records) {
        ended.addAll(records);
    }

    /** All of them by now. */
    public synchronized List<FlowRecord> ended() {
        return List.copyOf(ended);
    }

    @Override
    public void close() {
        registration.unregister();
    }
}
