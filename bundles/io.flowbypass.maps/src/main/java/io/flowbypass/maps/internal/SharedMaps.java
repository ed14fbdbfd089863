// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.maps.MapInfo;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;

/** What the instances of the service, one per bundle, have in common. Thread-safe. */
@Component(service = SharedMaps.class, immediate = true)
public final class SharedMaps {
    private final Calls calls = new Calls();
    private final Set<OpenMap> open = ConcurrentHashMap.newKeySet();
    private GracePeriod gracePeriod;

    /** Ends what the kernel keeps for it. */
    @Deactivate
    synchronized void stop() {
        if (gracePeriod != null) {
            gracePeriod.close();
        }
    }

    Calls calls() {
        return calls;
    }

    void remember(OpenMap map) {
        open.add(map);
    }

    void forget(OpenMap map) {
        open.remove(map);
    }

    boolean isOpen(OpenMap map) {
        return open.contains(map);
    }

    List<MapInfo> open() {
        return open.stream().map(OpenMap::description).toList();
    }

    void awaitRunningPrograms() {
        calls.countRun(gracePeriod()::await);
    }

    /** Made when it is first needed, so that the service is there for whoever lists maps without the right to make any. */
    private synchronized GracePeriod gracePeriod() {
        if (gracePeriod == null) {
            gracePeriod = new GracePeriod();
        }
        return gracePeriod;
    }
}
