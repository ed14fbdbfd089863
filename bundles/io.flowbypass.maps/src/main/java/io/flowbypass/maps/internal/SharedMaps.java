// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.maps.MapInfo;
import io.flowbypass.maps.MapOperation;
import java.lang.ref.Cleaner;
import java.lang.ref.Cleaner.Cleanable;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;

/** What the instances of the service, one per bundle, have in common. Thread-safe. */
@Component(service = SharedMaps.class, immediate = true)
public final class SharedMaps {
    private final Calls calls = new Calls();
    private final Set<MapHandle> open = ConcurrentHashMap.newKeySet();
    private final Cleaner cleaner = Cleaner.create();
    private final KernelFeatures features;
    private GracePeriod gracePeriod;

    /** Called by the framework. */
    @Activate
    public SharedMaps() {
        this(new KernelFeatures());
    }

    SharedMaps(KernelFeatures features) {
        this.features = features;
    }

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

    KernelFeatures features() {
        return features;
    }

    void remember(MapHandle map) {
        open.add(map);
    }

    void forget(MapHandle map) {
        open.remove(map);
    }

    /** Closes a map when nothing refers to its calls any more, as its owner and all its views do; until the watch is ended. */
    Cleanable watch(MapCalls calls, MapHandle map) {
        return cleaner.register(calls, () -> map.closeForgotten("forgot"));
    }

    List<MapInfo> open() {
        return open.stream().map(MapHandle::info).toList();
    }

    List<MapHandle> openedBy(BundleMaps owner) {
        return open.stream().filter(map -> map.owner() == owner).toList();
    }

    void awaitRunningPrograms() {
        calls.made(MapOperation.WAIT);
        gracePeriod().await();
    }

    /** Made when it is first needed, so that the service is there for whoever lists maps without the right to make any. */
    private synchronized GracePeriod gracePeriod() {
        if (gracePeriod == null) {
            gracePeriod = new GracePeriod();
        }
        return gracePeriod;
    }
}
