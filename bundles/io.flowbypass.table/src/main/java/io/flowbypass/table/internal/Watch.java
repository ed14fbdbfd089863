// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import io.flowbypass.flow.FlowTableListener;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Notices a table that refuses flows, and a durable listener that fills it, and says so once per episode: in the log, and
 * to the listeners on a thread of its own. Housekeeping, whose sign of life XDP waits for, must not wait for a listener.
 */
final class Watch {
    private static final Logger LOG = System.getLogger(Watch.class.getName());
    private static final int PRESSURE_PERCENT = 90;
    private static final int RELIEF_PERCENT = 80;
    /** Looks, not time: a JVM that stood still has no stuck listener. */
    private static final int STUCK_LOOKS = 3;

    private final List<FlowTableListener> listeners = new CopyOnWriteArrayList<>();
    private final ExecutorService thread = new ThreadPoolExecutor(0, 1, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(),
            run -> {
                Thread made = new Thread(run, "flowbypass-table-notices");
                made.setDaemon(true);
                return made;
            });
    private final Set<String> stuck = new HashSet<>();
    private long refused;
    private boolean full;

    void add(FlowTableListener listener) {
        listeners.add(listener);
    }

    void remove(FlowTableListener listener) {
        listeners.remove(listener);
    }

    /** A look, once a second; by one thread at a time. */
    void look(NativeFlowTable.Room room, Delivery delivery) {
        lookForRefused(room);
        lookForStuck(room, delivery.stuck(STUCK_LOOKS));
    }

    private void lookForRefused(NativeFlowTable.Room room) {
        long more = room.refused() - refused;
        refused = room.refused();
        if (more > 0 && !full) {
            full = true;
            String what = "bypasses are refused, " + more + " by now, because the flow table has no room for them: " + room
                    + "; raise capacity in io.flowbypass.xdp.cfg or shorten the idle timeouts";
            tell(what, listener -> listener.full(what));
        }
        full &= more > 0 || room.percent() >= RELIEF_PERCENT;
    }

    private void lookForStuck(NativeFlowTable.Room room, List<Delivery.Stuck> now) {
        stuck.retainAll(now.stream().map(Delivery.Stuck::name).toList());
        for (Delivery.Stuck each : now) {
            if (room.percent() >= PRESSURE_PERCENT && stuck.add(each.name())) {
                String what = "the durable listener " + each.name()
                        + (each.isThere() ? " takes no records, " : " is not there, ") + each.waiting() + " wait for it and hold the slots of their flows: " + room
                        + "; mend it, or take it out of durable.listeners in io.flowbypass.table.cfg";
                tell(what, listener -> listener.stuck(what));
            }
        }
    }

    private void tell(String what, Consumer<FlowTableListener> message) {
        LOG.log(Level.WARNING, what);
        thread.execute(() -> listeners.forEach(listener -> {
            try {
                message.accept(listener);
            } catch (RuntimeException | LinkageError e) {
                LOG.log(Level.WARNING, "flow table listener " + listener.getClass().getName() + " threw; it missed a notice",
                        e);
            }
        }));
    }

    /** After the last look; drops what was not told yet. */
    void close() {
        thread.shutdownNow();
    }
}
