// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.BpfException;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.libbpf.NativeBuffer;
import io.flowbypass.maps.MapSpec;
import io.flowbypass.maps.MapType;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** What the running kernel can do, found out once by trying it on a small map of its own. Thread-safe. */
class KernelFeatures {
    private static final int KEY_SIZE = 4;
    /** An LPM_TRIE's key begins with the length of the prefix. */
    private static final int TRIE_KEY_SIZE = 8;
    private static final int VALUE_SIZE = 8;

    private final Map<MapType, Boolean> batches = new ConcurrentHashMap<>();
    private final Map<MapType, Boolean> lookupsAndDeletes = new ConcurrentHashMap<>();

    private interface Attempt {
        void make(int map);
    }

    /** Whether it has batches for maps of a type that can have them. */
    boolean hasBatches(MapType type) {
        return batches.computeIfAbsent(type, each -> works(each, KernelFeatures::readABlock));
    }

    /** Whether it can look up and delete in one call, in maps of a type for which that exists. */
    boolean canLookupAndDelete(MapType type) {
        return lookupsAndDeletes.computeIfAbsent(type, each -> works(each, KernelFeatures::takeAKey));
    }

    /** Whether it has maps of a type at all. */
    boolean has(MapType type) {
        return works(type, map -> { });
    }

    private static void readABlock(int map) {
        NativeBuffer count = NativeBuffer.allocate(Integer.BYTES);
        count.bytes().putInt(0, 1);
        Bpf.lookupBatch(map, false, NativeBuffer.allocate(TRIE_KEY_SIZE), NativeBuffer.allocate(TRIE_KEY_SIZE),
                values(), count, 0);
    }

    private static void takeAKey(int map) {
        Bpf.lookupAndDelete(map, NativeBuffer.allocate(TRIE_KEY_SIZE), 0, values(), 0, 0);
    }

    private static NativeBuffer values() {
        return NativeBuffer.allocate(VALUE_SIZE * Bpf.possibleCpus());
    }

    private static boolean works(MapType type, Attempt attempt) {
        boolean trie = type == MapType.LPM_TRIE;
        boolean keyless = type == MapType.QUEUE || type == MapType.STACK;
        boolean ring = type == MapType.RINGBUF;
        boolean outer = type == MapType.ARRAY_OF_MAPS;
        int keySize = keyless || ring ? 0 : trie ? TRIE_KEY_SIZE : KEY_SIZE;
        int valueSize = ring ? 0 : outer || type == MapType.DEVMAP || type == MapType.DEVMAP_HASH ? KEY_SIZE : VALUE_SIZE;
        try (Descriptor array = Bpf.createMap(MapType.ARRAY.number(), "fb_probe", KEY_SIZE, VALUE_SIZE, 1, 0, 0);
                Descriptor map = Bpf.createMap(type.number(), "fb_probe", keySize, valueSize,
                        ring ? Bpf.pageSize() : 1, trie ? MapSpec.NO_PREALLOC : 0, outer ? array.number() : 0)) {
            attempt.make(map.number());
            return true;
        } catch (BpfException refused) {
            if (refused.is("EINVAL") || refused.is("ENOTSUPP") || refused.is("EOPNOTSUPP")) {
                return false;
            }
            throw refused;
        }
    }
}
