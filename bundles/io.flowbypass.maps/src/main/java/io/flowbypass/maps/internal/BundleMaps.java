// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.BpfException;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.CallCounts;
import io.flowbypass.maps.Gate;
import io.flowbypass.maps.MapInfo;
import io.flowbypass.maps.MapOperation;
import io.flowbypass.maps.MapService;
import io.flowbypass.maps.MapSpec;
import io.flowbypass.maps.MapType;
import io.flowbypass.maps.UnsupportedFeatureException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
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
    private final SharedMaps shared;
    private final String user;
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
        shared.openedBy(this).forEach(map -> map.closeForgotten("left behind"));
    }

    /** The bundle's name. */
    String user() {
        return user;
    }

    @Override
    public BpfMap open(Path pin) {
        return opened(MapOperation.OPEN, "opening " + pin, () -> {
            try {
                return Bpf.open(pin);
            } catch (BpfException refused) {
                throw Pins.explained(refused, pin);
            }
        });
    }

    @Override
    public BpfMap open(Path pin, MapType type, int keySize, int valueSize) {
        BpfMap map = open(pin);
        MapInfo info = map.info();
        if (info.type() != type || info.keySize() != keySize || info.valueSize() != valueSize) {
            map.close();
            throw new IllegalArgumentException("the map pinned at " + pin + " is "
                    + shape(info.type(), info.keySize(), info.valueSize()) + ", but " + shape(type, keySize, valueSize)
                    + " was expected");
        }
        return map;
    }

    private static String shape(MapType type, int keySize, int valueSize) {
        return type + " with keys of " + keySize + " bytes and values of " + valueSize + " bytes";
    }

    @Override
    public BpfMap open(int id) {
        return opened(MapOperation.OPEN, "opening the map with id " + id, () -> Bpf.openMap(id));
    }

    @Override
    public BpfMap create(MapSpec spec) {
        if (spec.type() == MapType.UNKNOWN) {
            throw new IllegalArgumentException("a map of the type UNKNOWN cannot be created");
        }
        String what = "creating the map " + spec.name();
        if (spec.inner() == null) {
            return opened(MapOperation.CREATE, what, () -> create(spec, 0));
        }
        try (Descriptor inner = counted(MapOperation.CREATE, () -> create(spec.inner(), 0))) {
            return opened(MapOperation.CREATE, what, () -> create(spec, inner.number()));
        }
    }

    private Descriptor create(MapSpec spec, int inner) {
        try {
            return Bpf.createMap(spec.type().number(), spec.name(), spec.keySize(), spec.valueSize(), spec.capacity(),
                    spec.flags(), inner);
        } catch (BpfException refused) {
            if (refused.is("EINVAL")) {
                if (!shared.features().has(spec.type())) {
                    throw new UnsupportedFeatureException("maps of the type " + spec.type(), spec.type().since());
                }
                throw new BpfException(refused.operation(), refused.error(), TypeRules.shape(spec.type()));
            }
            if (refused.is("E2BIG")) {
                throw new BpfException(refused.operation(), refused.error(),
                        "its entries, or all of them together, are larger than the kernel takes");
            }
            throw refused;
        }
    }

    @Override
    public void unpin(Path pin) {
        open(pin).close();
        try {
            Files.delete(pin);
        } catch (IOException failed) {
            throw new BpfException("removing the pin " + pin, failed.getClass().getSimpleName(),
                    "its directory must be writable: " + failed.getMessage());
        }
    }

    @Override
    public List<MapInfo> openMaps() {
        return shared.open();
    }

    @Override
    public List<MapInfo> allMaps() {
        List<MapInfo> maps = new ArrayList<>();
        OptionalInt id = listed(0);
        while (id.isPresent()) {
            try (Descriptor map = Bpf.openMap(id.getAsInt())) {
                maps.add(OpenMap.info(Bpf.describeMap(map.number())));
            } catch (BpfException refused) {
                // Gone since it was listed.
                if (!refused.is("ENOENT")) {
                    throw refused;
                }
            }
            id = id.getAsInt() == Integer.MAX_VALUE - 1 ? OptionalInt.empty() : listed(id.getAsInt());
        }
        return maps;
    }

    private OptionalInt listed(int after) {
        return counted(MapOperation.LIST, () -> Bpf.nextMapId(after));
    }

    @Override
    public Map<MapOperation, CallCounts> calls() {
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

    private BpfMap opened(MapOperation operation, String what, Supplier<Descriptor> call) {
        Descriptor descriptor = counted(operation, call);
        boolean done = false;
        try {
            MapInfo info = OpenMap.info(Bpf.describeMap(descriptor.number()));
            MapHandle handle = new MapHandle(descriptor, info, this, shared);
            OpenMap map = new OpenMap(handle, shared, new MapCalls(descriptor, info, shared.calls()));
            shared.remember(handle);
            done = true;
            return map;
        } catch (BpfException noMap) {
            throw new BpfException(what, noMap.error(), noMap.advice());
        } finally {
            if (!done) {
                descriptor.close();
            }
        }
    }

    private <T> T counted(MapOperation operation, Supplier<T> call) {
        shared.calls().made(operation);
        try {
            return call.get();
        } catch (BpfException refused) {
            shared.calls().failed(operation);
            throw refused;
        }
    }
}
