// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/** The maps in an ARRAY_OF_MAPS, by their index. Thread-safe. Errors as {@link TypedMap}. */
@ProviderType
public interface InnerMaps {
    /**
     * Opens the map at an index; empty when there is none. It belongs to whoever calls this, and has to be closed.
     */
    Optional<BpfMap> open(int index);

    /**
     * Puts a map at an index, in place of the one that is there. Returns after every program that may still use that one
     * has ended: typically 5 to 24 ms. It must be of the type and of the sizes that the inner map had when this map was
     * created.
     *
     * @throws IndexOutOfBoundsException beyond the end
     */
    void update(int index, BpfMap map);

    /** Takes the map at an index out; false when there is none. */
    boolean delete(int index);
}
