// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.maps.MapInfo;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;

/** What has to be closed of a map, and whose fault it is when it is not. Thread-safe. */
final class MapHandle {
    private static final Logger LOG = System.getLogger(MapHandle.class.getName());
    private static final StackWalker STACK = StackWalker.getInstance();
    private static final String HERE = MapHandle.class.getPackageName();

    private final Descriptor descriptor;
    private final MapInfo info;
    private final BundleMaps owner;
    private final SharedMaps shared;
    private final String openedBy = caller();
    private final List<RingGate> rings = new ArrayList<>();
    private boolean closed;

    /** Takes ownership of the descriptor. */
    MapHandle(Descriptor descriptor, MapInfo info, BundleMaps owner, SharedMaps shared) {
        this.descriptor = descriptor;
        this.info = info;
        this.owner = owner;
        this.shared = shared;
    }

    Descriptor descriptor() {
        return descriptor;
    }

    MapInfo info() {
        return info;
    }

    /** Through which service it was opened. */
    BundleMaps owner() {
        return owner;
    }

    /** Has a ring's gate closed with the map. */
    synchronized void closeAlso(RingGate ring) {
        if (closed) {
            throw new IllegalStateException("the map " + info.name() + " is closed");
        }
        rings.removeIf(RingGate::isClosed);
        rings.add(ring);
    }

    /** Closes it; false when that happened before. */
    boolean close() {
        synchronized (this) {
            if (closed) {
                return false;
            }
            closed = true;
        }
        rings.forEach(RingGate::close);
        shared.forget(this);
        descriptor.close();
        return true;
    }

    /** Closes it, and complains where its owner has not. */
    void closeForgotten(String how) {
        if (close()) {
            LOG.log(Level.WARNING, "{0} {1} the map {2} (id {3,number,#}) that {4} opened; it is closed now.",
                    owner.user(), how, info.name(), info.id(), openedBy);
        }
    }

    private static String caller() {
        return STACK.walk(frames -> frames.filter(frame -> !frame.getClassName().startsWith(HERE)).findFirst()
                .map(frame -> frame.toStackTraceElement().toString()).orElse("an unknown place"));
    }
}
