// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.maps.Codec;
import io.flowbypass.maps.MapInfo;
import io.flowbypass.maps.MapType;
import io.flowbypass.maps.TypedMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;

/** Real maps, whose system calls a test can interfere with. */
abstract class KernelTest {
    /** As if this were a kernel without batches, lookup-and-delete and ring buffers. */
    static final KernelFeatures LINUX_5_5 = new KernelFeatures() {
        @Override
        boolean hasBatches(MapType type) {
            return false;
        }

        @Override
        boolean canLookupAndDelete(MapType type) {
            return false;
        }

        @Override
        boolean has(MapType type) {
            return type != MapType.RINGBUF;
        }
    };

    /** {@code BPF_F_ZERO_SEED}. */
    private static final int ZERO_SEED = 1 << 6;

    private OpenMap map;

    /** Makes the calls on a new map. */
    interface Interference {
        MapCalls on(Descriptor descriptor, MapInfo info, Calls counts);
    }

    @BeforeAll
    static void needsRoot() {
        assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
    }

    @AfterEach
    void close() {
        if (map != null) {
            map.close();
        }
    }

    /** A new map of 4-byte keys and 8-byte values. */
    final OpenMap map(MapType type, int capacity, Interference calls, KernelFeatures features) {
        return map(type, Integer.BYTES, capacity, calls, features);
    }

    /** A new map of 8-byte values. In a HASH the keys have the same order at every run. */
    final OpenMap map(MapType type, int keySize, int capacity, Interference calls, KernelFeatures features) {
        Descriptor descriptor = Bpf.createMap(type.number(), "fb_test", keySize, 8, capacity,
                type == MapType.HASH ? ZERO_SEED : 0, 0);
        SharedMaps shared = new SharedMaps(features);
        MapInfo info = OpenMap.info(Bpf.describeMap(descriptor.number()));
        map = new OpenMap(new MapHandle(descriptor, info, new BundleMaps(shared, "test"), shared), shared,
                calls.on(descriptor, info, shared.calls()));
        return map;
    }

    /** Keys 0 to count - 1, each with itself as its value. */
    static TypedMap<Integer, Long> filled(OpenMap map, int count) {
        TypedMap<Integer, Long> entries = map.typed(Codec.INT, Codec.LONG);
        for (int key = 0; key < count; key++) {
            entries.update(key, (long) key);
        }
        return entries;
    }
}
