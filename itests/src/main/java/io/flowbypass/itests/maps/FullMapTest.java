// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.maps;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.itests.lab.Root;
import io.flowbypass.itests.lab.Services;
import io.flowbypass.libbpf.BpfException;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.Codec;
import io.flowbypass.maps.Condition;
import io.flowbypass.maps.ElementQueue;
import io.flowbypass.maps.Gate;
import io.flowbypass.maps.MapFullException;
import io.flowbypass.maps.MapService;
import io.flowbypass.maps.MapSpec;
import io.flowbypass.maps.MapType;
import io.flowbypass.maps.TypedMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A full map is called full, and nothing else is. */
class FullMapTest {
    private final MapService maps = Services.waitFor(MapService.class);

    @BeforeEach
    void needsRoot() {
        Root.required();
    }

    @Test
    void aFullHashSaysSoAndTakesUpdatesOfWhatIsThere() {
        try (BpfMap map = maps.create(new MapSpec(MapType.HASH, "fb_full", 4, 8, 10, 0))) {
            TypedMap<Integer, Long> entries = map.typed(Codec.INT, Codec.LONG);
            for (int key = 0; key < 10; key++) {
                entries.update(key, 1L);
            }
            assertThatThrownBy(() -> entries.update(10, 1L)).isInstanceOf(MapFullException.class)
                    .hasMessageContaining("fb_full is full: all of its 10 entries are taken");
            assertThatThrownBy(() -> entries.update(10, 1L, Condition.NOEXIST)).isInstanceOf(MapFullException.class);
            assertThat(entries.update(9, 2L, Condition.NOEXIST)).isFalse();
            assertThat(entries.update(10, 2L, Condition.EXIST)).isFalse();
            entries.update(9, 2L);
            assertThat(entries.lookup(9)).contains(2L);
            entries.delete(0);
            entries.update(10, 1L);
        }
    }

    @Test
    void aFullTrieAndAFullQueueSaySo() {
        try (BpfMap trie = maps.create(new MapSpec(MapType.LPM_TRIE, "fb_full", 8, 4, 2, MapSpec.NO_PREALLOC));
                BpfMap queue = maps.create(new MapSpec(MapType.QUEUE, "fb_full", 0, 8, 2, 0))) {
            TypedMap<byte[], Integer> prefixes = trie.typed(Codec.bytes(8), Codec.INT);
            prefixes.update(prefix(8, 10), 1);
            prefixes.update(prefix(8, 11), 1);
            assertThatThrownBy(() -> prefixes.update(prefix(8, 12), 1)).isInstanceOf(MapFullException.class);
            assertThatThrownBy(() -> prefixes.update(prefix(33, 12), 1)).isNotInstanceOf(MapFullException.class)
                    .hasMessageContaining("at most 32 bits");
            ElementQueue<Long> elements = queue.queue(Codec.LONG);
            elements.push(1L);
            elements.push(2L);
            assertThatThrownBy(() -> elements.push(3L)).isInstanceOf(MapFullException.class);
        }
    }

    @Test
    void anIndexBeyondTheEndIsNoFullMap() {
        try (BpfMap map = maps.create(new MapSpec(MapType.ARRAY, "fb_array", 4, 8, 10, 0))) {
            TypedMap<Integer, Long> entries = map.typed(Codec.INT, Codec.LONG);
            assertThatThrownBy(() -> entries.update(10, 1L)).isInstanceOf(IndexOutOfBoundsException.class)
                    .hasMessageContaining("fb_array has 10 entries, 0 to 9");
            assertThat(entries.lookup(10)).isEmpty();
        }
        MapSpec inner = new MapSpec(MapType.ARRAY, "fb_inner", 4, 8, 3, 0);
        try (BpfMap devices = maps.create(new MapSpec(MapType.DEVMAP, "fb_dev", 4, 4, 10, 0));
                BpfMap outer = maps.create(new MapSpec(MapType.ARRAY_OF_MAPS, "fb_outer", 4, 4, 2, 0, inner))) {
            assertThatThrownBy(() -> devices.typed(Codec.INT, Codec.INT).delete(10))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> outer.innerMaps().delete(2)).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    void aMapThatIsTooLargeOrBusyIsNotCalledFull() {
        assertThatThrownBy(() -> maps.create(new MapSpec(MapType.PERCPU_ARRAY, "fb_wide", 4, 1 << 20, 10, 0)))
                .isInstanceOf(BpfException.class).isNotInstanceOf(MapFullException.class)
                .hasMessageContaining("E2BIG").hasMessageContaining("larger than the kernel takes");
        // 16 TiB.
        assertThatThrownBy(() -> maps.create(new MapSpec(MapType.ARRAY, "fb_huge", 4, 1 << 16, 1 << 28, 0)))
                .isInstanceOf(BpfException.class).isNotInstanceOf(MapFullException.class).hasMessageContaining("ENOMEM");
        Gate gate = maps.newGate();
        try (BpfMap map = maps.create(new MapSpec(MapType.ARRAY, "fb_mapped", 4, 8, 10, MapSpec.MMAPABLE))) {
            map.map(gate);
            assertThatThrownBy(map::freeze).isInstanceOf(BpfException.class).hasMessageContaining("EBUSY")
                    .hasMessageContaining("mapped into memory for writing");
        } finally {
            gate.close();
        }
    }

    static byte[] prefix(int bits, int first) {
        return new byte[] {(byte) bits, 0, 0, 0, (byte) first, 0, 0, 0};
    }
}
