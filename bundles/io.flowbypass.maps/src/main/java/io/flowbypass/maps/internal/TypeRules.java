// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.maps.MapType;
import java.util.EnumSet;
import java.util.Set;

/** What the kernel can do with maps of each type. */
final class TypeRules {
    /** Hash tables: their batches read a bucket under its lock, with a cursor that nobody can delete. */
    private static final Set<MapType> HASHES =
            EnumSet.of(MapType.HASH, MapType.LRU_HASH, MapType.PERCPU_HASH, MapType.LRU_PERCPU_HASH);
    private static final Set<MapType> ARRAYS = EnumSet.of(MapType.ARRAY, MapType.PERCPU_ARRAY);

    private TypeRules() {
    }

    /** Keys are the indexes of a fixed number of places, so no cursor can be lost; a place may be empty. */
    static boolean isIndexed(MapType type) {
        return ARRAYS.contains(type) || type == MapType.DEVMAP || type == MapType.ARRAY_OF_MAPS;
    }

    /** An LPM_TRIE has batches too, but they begin anew when their cursor's key is deleted: a walk is better. */
    static boolean hasExactBatches(MapType type) {
        return HASHES.contains(type) || ARRAYS.contains(type);
    }

    static boolean hasUpdateBatches(MapType type) {
        return hasExactBatches(type) || type == MapType.LPM_TRIE;
    }

    static boolean hasDeleteBatches(MapType type) {
        return HASHES.contains(type) || type == MapType.LPM_TRIE;
    }

    static boolean canDelete(MapType type) {
        return !ARRAYS.contains(type);
    }

    static boolean canLookupAndDelete(MapType type) {
        return HASHES.contains(type);
    }

    static boolean canLock(MapType type) {
        return type == MapType.HASH || type == MapType.ARRAY;
    }
}
