// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

import io.flowbypass.libbpf.BpfException;
import java.nio.file.Path;
import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Opens BPF maps. Bundle-scoped: what a bundle opened and did not close is closed, and named in the log, when the
 * bundle lets go of the service. Thread-safe.
 */
@ProviderType
public interface MapService {
    /**
     * Opens a pinned map.
     *
     * @throws BpfException when there is no map at this path, or it may not be opened
     */
    BpfMap open(Path pin);

    /**
     * Opens a map by its id.
     *
     * @throws BpfException when there is no such map, or it may not be opened
     */
    BpfMap open(int id);

    /**
     * Creates a map, not pinned.
     *
     * @throws BpfException when the kernel refuses it
     */
    BpfMap create(MapSpec spec);

    /** The maps that are open through this service, whichever bundle opened them. */
    List<MapInfo> openMaps();

    /** Calls and errors of this service since it started. */
    CallCounts calls();

    /** CPUs that this machine can have: the number of values of a per-CPU map's key. */
    int possibleCpus();

    /** A new gate for mappings that are to be closed together. */
    Gate newGate();

    /**
     * Waits until every non-sleepable BPF program that was running when this was called has ended: typically 5 to 24 ms,
     * more under load. Whoever took something out of a map before may reuse it after. Hold no lock meanwhile.
     */
    void awaitRunningPrograms();
}
