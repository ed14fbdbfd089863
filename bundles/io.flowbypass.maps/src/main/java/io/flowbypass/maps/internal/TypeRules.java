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

    /** What a map of a type has to look like. */
    static String shape(MapType type) {
        return "a map of the type " + type + switch (type) {
            case ARRAY, DEVMAP, DEVMAP_HASH, ARRAY_OF_MAPS -> " has keys of 4 bytes";
            case PERCPU_ARRAY -> " has keys of 4 bytes, and values of at most 32 KiB";
            case LPM_TRIE -> " has keys of 5 to 260 bytes and the flag NO_PREALLOC";
            case QUEUE, STACK -> " has keys of 0 bytes";
            case RINGBUF -> " has keys and values of 0 bytes, and a capacity that is a power of two and a multiple of the"
                    + " page size";
            default -> " has keys and values of at least one byte";
        } + ", and room for at least one entry; its name has letters, digits, _ and . only; and it takes certain flags only";
    }

    /** A DEVMAP has no absent keys for an update, and a DEVMAP_HASH adds a key though it is told EXIST. */
    static boolean keepsConditions(MapType type) {
        return type != MapType.DEVMAP && type != MapType.DEVMAP_HASH;
    }

    static boolean canLock(MapType type) {
        return type == MapType.HASH || type == MapType.ARRAY;
    }
}
