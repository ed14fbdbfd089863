// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.maps.BatchDelete;
import io.flowbypass.maps.BatchUpdate;
import io.flowbypass.maps.Blocks;
import io.flowbypass.maps.Codec;
import io.flowbypass.maps.MapFullException;
import io.flowbypass.maps.MapSpec;
import io.flowbypass.maps.MapType;
import io.flowbypass.maps.TypedMap;
import io.flowbypass.maps.UnsupportedFeatureException;
import io.flowbypass.maps.Way;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What happens where a kernel has no batches and no lookup-and-delete: on this kernel, told that it has none. */
class OlderKernelTest extends KernelTest {
    private static final int KEYS = 1000;

    private final OpenMap map = map(MapType.HASH, KEYS, MapCalls::new, LINUX_5_5);
    private final TypedMap<Integer, Long> entries = map.typed(Codec.INT, Codec.LONG);

    @Test
    void shouldWriteReadAndDrainByAWalkAndSaySo() {
        BatchUpdate<Integer, Long> update = entries.updateBatch(64);
        for (int key = 0; key < KEYS; key++) {
            update.add(key, (long) key);
        }
        assertThatThrownBy(() -> {
            update.add(KEYS, 0L);
            update.close();
        }).isInstanceOf(MapFullException.class);
        assertThat(update.written()).isEqualTo(KEYS);
        assertThat(update.way()).isEqualTo(Way.WALK);
        assertThat(update.way()).hasToString("walk");

        assertThat(read(entries.lookupBatch(64))).hasSize(KEYS);
        assertThat(entries.removeIf((key, value) -> value % 2 == 0)).isEqualTo(KEYS / 2);
        assertThat(read(entries.drain(64))).hasSize(KEYS / 2);
        assertThat(entries.lookupBatch(64).next()).isFalse();
    }

    @Test
    void shouldDeleteOneKeyAfterTheOther() {
        filled(map, KEYS);
        BatchDelete<Integer> delete = entries.deleteBatch(64);
        for (int key = -10; key < KEYS / 2; key++) {
            delete.add(key);
        }
        delete.close();
        assertThat(delete.deleted()).isEqualTo(KEYS / 2);
        assertThat(delete.way()).isEqualTo(Way.WALK);
    }

    @Test
    void shouldSayWhichKernelHasWhatThisOneLacks() {
        assertThatThrownBy(() -> entries.lookupAndDelete(1)).isInstanceOfSatisfying(UnsupportedFeatureException.class,
                missing -> assertThat(missing.since()).isEqualTo("5.14")).hasMessageContaining("lookup-and-delete on a HASH")
                .hasMessageContaining(System.getProperty("os.version"));
        // EINVAL of this kernel for a size that is no power of two, which one without ring buffers gives for any.
        assertThatThrownBy(() -> new BundleMaps(new SharedMaps(LINUX_5_5), "test")
                .create(new MapSpec(MapType.RINGBUF, "fb_ring", 0, 0, 4097, 0)))
                .isInstanceOf(UnsupportedFeatureException.class).hasMessageContaining("Linux 5.8 and newer");
    }

    @Test
    void shouldFindOutWhatThisKernelCan() {
        KernelFeatures features = new KernelFeatures();
        for (MapType type : MapType.values()) {
            if (type != MapType.UNKNOWN) {
                assertThat(features.has(type)).as("maps of the type " + type).isTrue();
                assertThat(features.hasBatches(type)).as("batches of the type " + type)
                        .isEqualTo(TypeRules.hasUpdateBatches(type) || type == MapType.ARRAY_OF_MAPS);
                assertThat(features.canLookupAndDelete(type)).as("lookup-and-delete of the type " + type)
                        .isEqualTo(TypeRules.canLookupAndDelete(type));
            }
        }
    }

    private static Set<Integer> read(Blocks<Integer, Long> blocks) {
        assertThat(blocks.way()).isEqualTo(Way.WALK);
        Set<Integer> keys = new HashSet<>();
        while (blocks.next()) {
            assertThat(blocks.size()).isBetween(1, 64);
            for (int i = 0; i < blocks.size(); i++) {
                assertThat(blocks.value(i)).isEqualTo((long) blocks.key(i));
                assertThat(keys.add(blocks.key(i))).isTrue();
            }
        }
        return keys;
    }
}
