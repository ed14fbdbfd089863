// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

import io.flowbypass.libbpf.BpfException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Opens BPF maps of any tool. Bundle-scoped: what a bundle opened and did not close is closed, and named in the log with
 * the place where it was opened, when nothing refers to it any more or when the bundle lets go of the service.
 * Thread-safe.
 */
@ProviderType
public interface MapService {
    /**
     * Opens a pinned map. One of a type that is not in {@link MapType} can only be described.
     *
     * @throws BpfException when there is no map at this path, or it may not be opened
     */
    BpfMap open(Path pin);

    /**
     * Opens a pinned map of which type and sizes are known.
     *
     * @param keySize bytes of a key
     * @param valueSize bytes of a value; of a per-CPU map, of one CPU's value
     * @throws IllegalArgumentException when it is another one, naming what it is and what was expected
     * @throws BpfException when there is no map at this path, or it may not be opened
     */
    BpfMap open(Path pin, MapType type, int keySize, int valueSize);

    /**
     * Opens a map by its id.
     *
     * @throws BpfException when there is no such map, or it may not be opened (by id: needs CAP_SYS_ADMIN)
     */
    BpfMap open(int id);

    /**
     * Creates a map, not pinned.
     *
     * @throws UnsupportedFeatureException when this kernel has no maps of this type
     * @throws BpfException when the kernel refuses it
     */
    BpfMap create(MapSpec spec);

    /**
     * Removes the pin of a map. The map lives on while a program or a process has it open.
     *
     * @throws BpfException when there is no map at this path, or the pin cannot be removed
     */
    void unpin(Path pin);

    /** The maps that are open through this service, whichever bundle opened them. */
    List<MapInfo> openMaps();

    /**
     * All maps on this machine, by their ids.
     *
     * @throws BpfException when this process may not ask (CAP_SYS_ADMIN)
     */
    List<MapInfo> allMaps();

    /** Calls and errors of this service since it started; every operation has an entry. */
    Map<MapOperation, CallCounts> calls();

    /** CPUs that this machine can have: the number of values of a per-CPU map's key. */
    int possibleCpus();

    /** A new gate for mappings that are to be closed together. */
    Gate newGate();

    /**
     * Waits until every non-sleepable BPF program that was running when this was called has ended (an RCU grace period):
     * typically 5 to 24 ms, more under load. Whoever took something out of a map before may reuse it after. Hold no lock meanwhile.
     */
    void awaitRunningPrograms();
}
