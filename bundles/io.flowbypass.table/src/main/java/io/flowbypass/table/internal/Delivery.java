// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import io.flowbypass.flow.FlowListener;
import io.flowbypass.flow.FlowRecord;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/** Hands records to every listener, and says when the durable ones have them. Thread-safe. */
final class Delivery {
    private static final Logger LOG = System.getLogger(Delivery.class.getName());

    private final Map<String, Outlet> outlets = new HashMap<>();
    private long lostByGone;

    /** Names the listeners that hold slots until they took the record, there or not. */
    synchronized void setDurable(Set<String> names) {
        for (String name : names) {
            Outlet outlet = outlets.get(name);
            if (outlet == null) {
                outlets.put(name, new Outlet(name, true));
            } else if (!outlet.isDurable()) {
                LOG.log(Level.WARNING, "listener {0} becomes durable when it is registered anew", name);
            }
        }
    }

    /** Adds a listener; a second one of the same name is refused and named in the log. */
    synchronized void add(String name, FlowListener listener) {
        Outlet outlet = outlets.computeIfAbsent(name, added -> new Outlet(added, false));
        if (outlet.isConnected()) {
            LOG.log(Level.ERROR, "two flow listeners are named {0}: {1} gets no records", name, listener);
            return;
        }
        outlet.connect(listener);
    }

    /** Removes a listener. */
    synchronized void remove(String name, FlowListener listener) {
        Outlet outlet = outlets.get(name);
        if (outlet == null) {
            return;
        }
        outlet.disconnect(listener);
        if (!outlet.isDurable() && !outlet.isConnected()) {
            lostByGone += outlet.lost() + outlet.waiting();
            outlets.remove(name);
        }
    }

    /** Stops all threads. */
    synchronized void close() {
        outlets.values().forEach(Outlet::close);
    }

    /** Records that listeners lost because their queues were full. */
    synchronized long lost() {
        return lostByGone + outlets.values().stream().mapToLong(Outlet::lost).sum();
    }

    /** Hands a batch to all listeners; {@code durablyTaken} runs once every durable one took it, perhaps at once. */
    void deliver(List<FlowRecord> records, Runnable durablyTaken) {
        List<Outlet> durable = new ArrayList<>();
        synchronized (this) {
            for (Outlet outlet : outlets.values()) {
                if (outlet.isDurable()) {
                    durable.add(outlet);
                } else {
                    outlet.offer(records, () -> { });
                }
            }
        }
        if (durable.isEmpty()) {
            durablyTaken.run();
            return;
        }
        AtomicInteger missing = new AtomicInteger(durable.size());
        for (Outlet outlet : durable) {
            outlet.offer(records, () -> {
                if (missing.decrementAndGet() == 0) {
                    durablyTaken.run();
                }
            });
        }
    }
}
