// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import io.flowbypass.flow.FlowListener;
import io.flowbypass.flow.FlowRecord;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/** Hands records to every listener, and says when the durable ones have them. Thread-safe. */
final class Delivery {
    private static final Logger LOG = System.getLogger(Delivery.class.getName());

    /** A registered listener, connected unless an older one of the same name is. */
    private record Registered(String name, FlowListener listener) {
    }

    /** A durable listener that takes nothing, or is not there, and the records that wait for it. */
    record Stuck(String name, boolean isThere, int waiting) {
    }

    private final Map<Object, Registered> registered = new LinkedHashMap<>();
    private final Map<Object, Outlet> connected = new HashMap<>();
    private final Map<String, Outlet> outlets = new HashMap<>();
    private Set<String> durable = Set.of();
    private long lostByGone;

    /** Names the listeners that hold slots until they took the record, there or not. */
    void setDurable(Set<String> names) {
        List<Outlet> noLonger = new ArrayList<>();
        synchronized (this) {
            durable = names;
            for (String name : names) {
                outlet(name).setDurable(true);
            }
            for (Outlet outlet : List.copyOf(outlets.values())) {
                if (outlet.isDurable() && !names.contains(outlet.name())) {
                    noLonger.add(outlet);
                    if (!connected.containsValue(outlet)) {
                        outlets.remove(outlet.name());
                    }
                }
            }
        }
        // Outside the monitor: this frees slots.
        noLonger.forEach(outlet -> outlet.setDurable(false));
    }

    /**
     * Adds a listener. While an older one of the same name is there, it only waits to take over.
     *
     * @param key what stands for this registration
     */
    synchronized void add(Object key, String name, FlowListener listener) {
        registered.put(key, new Registered(name, listener));
        Outlet outlet = outlet(name);
        if (connected.containsValue(outlet)) {
            LOG.log(Level.ERROR, "two flow listeners are named {0}: {1} gets no records until the other one leaves", name,
                    listener);
            return;
        }
        connected.put(key, outlet);
        outlet.connect(listener);
    }

    /** Removes a listener. */
    synchronized void remove(Object key) {
        Registered gone = registered.remove(key);
        Outlet outlet = connected.remove(key);
        if (outlet == null) {
            return;
        }
        outlet.disconnect();
        for (Map.Entry<Object, Registered> other : registered.entrySet()) {
            if (other.getValue().name().equals(gone.name())) {
                connected.put(other.getKey(), outlet);
                outlet.connect(other.getValue().listener());
                return;
            }
        }
        if (!outlet.isDurable()) {
            lostByGone += outlet.lost(true);
            outlets.remove(gone.name());
        }
    }

    private Outlet outlet(String name) {
        Outlet outlet = outlets.computeIfAbsent(name, Outlet::new);
        if (durable.contains(name)) {
            outlet.setDurable(true);
        }
        return outlet;
    }

    /** Stops all threads. */
    synchronized void close() {
        outlets.values().forEach(Outlet::disconnect);
    }

    /** Records that listeners lost because their queues were full. */
    synchronized long lost() {
        return lostByGone + outlets.values().stream().mapToLong(outlet -> outlet.lost(false)).sum();
    }

    /** Whether any listener is named durable. */
    synchronized boolean hasDurable() {
        return !durable.isEmpty();
    }

    /** Records of flows that hold slots that may come by now: those that wait for a durable listener take up memory. */
    synchronized int room() {
        return outlets.values().stream().filter(Outlet::isDurable).mapToInt(outlet -> Outlet.LIMIT - outlet.waiting()).min()
                .orElse(Integer.MAX_VALUE);
    }

    /** The most records that wait for one listener. */
    synchronized int longestQueue() {
        return outlets.values().stream().mapToInt(Outlet::waiting).max().orElse(0);
    }

    /** The durable listeners for which records wait, and that took none since this many calls. */
    synchronized List<Stuck> stuck(int calls) {
        return outlets.values().stream().flatMap(outlet -> outlet.stuck(calls).stream()).toList();
    }

    /** Hands a batch to all listeners, of flows that hold no slots; durable ones too lose it when they are too slow. */
    void offer(List<FlowRecord> records) {
        synchronized (this) {
            outlets.values().forEach(outlet -> outlet.offer(records));
        }
    }

    /** Hands a batch to all listeners; {@code durablyTaken} runs once every durable one took it, perhaps at once. */
    void deliver(List<FlowRecord> records, Runnable durablyTaken) {
        List<Outlet> mustTake = new ArrayList<>();
        synchronized (this) {
            for (Outlet outlet : outlets.values()) {
                if (outlet.isDurable()) {
                    mustTake.add(outlet);
                } else {
                    outlet.offer(records, () -> { });
                }
            }
        }
        if (mustTake.isEmpty()) {
            durablyTaken.run();
            return;
        }
        AtomicInteger missing = new AtomicInteger(mustTake.size());
        for (Outlet outlet : mustTake) {
            outlet.offer(records, () -> {
                if (missing.decrementAndGet() == 0) {
                    durablyTaken.run();
                }
            });
        }
    }
}
