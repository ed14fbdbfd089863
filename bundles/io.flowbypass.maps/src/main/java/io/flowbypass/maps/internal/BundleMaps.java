// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.CallCounts;
import io.flowbypass.maps.Gate;
import io.flowbypass.maps.MapInfo;
import io.flowbypass.maps.MapService;
import io.flowbypass.maps.MapSpec;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.osgi.service.component.ComponentContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ServiceScope;

/** The service as one bundle sees it. */
@Component(scope = ServiceScope.BUNDLE)
public final class BundleMaps implements MapService {
    private static final Logger LOG = System.getLogger(BundleMaps.class.getName());

    private final SharedMaps shared;
    private final String user;
    private final Set<OpenMap> maps = ConcurrentHashMap.newKeySet();
    private final Set<ReaderGate> gates = ConcurrentHashMap.newKeySet();

    /** Called by the framework. */
    @Activate
    public BundleMaps(@Reference SharedMaps shared, ComponentContext context) {
        this(shared, context.getUsingBundle().getSymbolicName());
    }

    BundleMaps(SharedMaps shared, String user) {
        this.shared = shared;
        this.user = user;
    }

    /** Closes what the bundle left open. */
    @Deactivate
    void leave() {
        gates.forEach(ReaderGate::close);
        for (OpenMap map : maps) {
            if (shared.isOpen(map)) {
                LOG.log(Level.WARNING, "{0} left the map {1} (id {2,number,#}) open; it is closed now.", user,
                        map.description().name(), map.description().id());
                map.close();
            }
        }
    }

    @Override
    public BpfMap open(Path pin) {
        return opened(() -> Bpf.open(pin));
    }

    @Override
    public BpfMap open(int id) {
        return opened(() -> Bpf.openMap(id));
    }

    @Override
    public BpfMap create(MapSpec spec) {
        if (spec.inner() == null) {
            return opened(() -> create(spec, 0));
        }
        try (Descriptor inner = create(spec.inner(), 0)) {
            return opened(() -> create(spec, inner.number()));
        }
    }

    @Override
    public List<MapInfo> openMaps() {
        return shared.open();
    }

    @Override
    public CallCounts calls() {
        return shared.calls().counts();
    }

    @Override
    public int possibleCpus() {
        return Bpf.possibleCpus();
    }

    @Override
    public Gate newGate() {
        gates.removeIf(ReaderGate::isClosed);
        ReaderGate gate = new ReaderGate();
        gates.add(gate);
        return gate;
    }

    @Override
    public void awaitRunningPrograms() {
        shared.awaitRunningPrograms();
    }

    private BpfMap opened(Supplier<Descriptor> call) {
        Descriptor descriptor = shared.calls().count(call);
        try {
            OpenMap map = new OpenMap(descriptor, shared);
            maps.removeIf(each -> !shared.isOpen(each));
            shared.remember(map);
            maps.add(map);
            return map;
        } catch (RuntimeException notAMap) {
            descriptor.close();
            throw notAMap;
        }
    }

    private static Descriptor create(MapSpec spec, int inner) {
        return Bpf.createMap(spec.type().number(), spec.name(), spec.keySize(), spec.valueSize(), spec.capacity(),
                spec.flags(), inner);
    }
}
