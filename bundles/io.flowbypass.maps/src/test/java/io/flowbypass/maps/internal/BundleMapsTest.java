// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.flowbypass.libbpf.BpfException;
import io.flowbypass.maps.BatchUpdate;
import io.flowbypass.maps.Blocks;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.CallCounts;
import io.flowbypass.maps.Codec;
import io.flowbypass.maps.Condition;
import io.flowbypass.maps.Cursor;
import io.flowbypass.maps.Gate;
import io.flowbypass.maps.LostCursor;
import io.flowbypass.maps.MapOperation;
import io.flowbypass.maps.MapSpec;
import io.flowbypass.maps.MapType;
import io.flowbypass.maps.Mapping;
import io.flowbypass.maps.PerCpu;
import io.flowbypass.maps.TypedMap;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class BundleMapsTest {
    private final SharedMaps shared = new SharedMaps();
    private final BundleMaps maps = new BundleMaps(shared, "test");

    @BeforeAll
    static void needsRoot() {
        assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
    }

    @Test
    void shouldKeepAMappingUntilItsGateCloses() {
        Gate gate = maps.newGate();
        Mapping mapping;
        try (BpfMap map = maps.create(new MapSpec(MapType.ARRAY, "fb_test", 4, 12, 10, MapSpec.MMAPABLE))) {
            mapping = map.map(gate);
            map.typed(Codec.INT, Codec.bytes(12)).update(9, new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
        }
        assertThat(gate.enter()).isTrue();
        assertThat(mapping.size()).isEqualTo(160);
        byte[] value = new byte[12];
        mapping.get(9 * 16, value);
        gate.exit();
        assertThat(value).containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
        gate.close();
    }

    @Test
    void shouldRefuseToMapThroughAClosedGate() {
        Gate gate = maps.newGate();
        gate.close();
        try (BpfMap map = maps.create(new MapSpec(MapType.ARRAY, "fb_test", 4, 8, 1, MapSpec.MMAPABLE))) {
            assertThatThrownBy(() -> map.map(gate)).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void shouldGiveOneValuePerCpu() {
        try (BpfMap map = maps.create(new MapSpec(MapType.PERCPU_ARRAY, "fb_test", 4, 12, 2, 0))) {
            byte[] value = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
            TypedMap<Integer, PerCpu<byte[]>> values = map.perCpu(Codec.INT, Codec.bytes(12));
            values.update(1, PerCpu.same(value, maps.possibleCpus()));
            assertThat(values.lookup(1).orElseThrow().values()).hasSize(maps.possibleCpus())
                    .allSatisfy(each -> assertThat(each).isEqualTo(value));
            assertThatThrownBy(() -> map.typed(Codec.INT, Codec.bytes(12))).hasMessageContaining("use perCpu");
        }
    }

    @Test
    void shouldRefuseKeysOfAnotherSize() {
        try (BpfMap map = maps.create(new MapSpec(MapType.HASH, "fb_test", 4, 8, 2, 0))) {
            assertThatThrownBy(() -> map.typed(Codec.SHORT, Codec.LONG)).isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("the keys of the HASH fb_test have 4 bytes, but the codec that was given has 2");
            assertThatThrownBy(() -> map.map(maps.newGate())).hasMessageContaining("BPF_F_MMAPABLE");
        }
    }

    /** A size that grew after it was checked would lead the kernel beyond the memory that is there. */
    @Test
    void shouldNotTrustTheSizeOfACodecAfterItWasChecked() {
        int[] size = {Long.BYTES};
        Codec<Long> growing = new Codec<>() {
            @Override
            public int size() {
                return size[0];
            }

            @Override
            public Long read(ByteBuffer from, int offset) {
                return from.getLong(offset);
            }

            @Override
            public void write(Long value, ByteBuffer to, int offset) {
                to.putLong(offset, value);
            }
        };
        try (BpfMap map = maps.create(new MapSpec(MapType.HASH, "fb_test", 8, 8, 100, 0))) {
            TypedMap<Long, Long> entries = map.typed(growing, growing);
            size[0] = 1 << 28;
            try (BatchUpdate<Long, Long> update = entries.updateBatch(7)) {
                for (long key = 0; key < 100; key++) {
                    update.add(key, -key);
                }
            }
            Cursor<Long, Long> cursor = entries.walk(LostCursor.CONTINUE);
            Blocks<Long, Long> blocks = entries.lookupBatch(7);
            for (int i = 0; i < 100; i++) {
                assertThat(cursor.next()).isTrue();
                assertThat(cursor.value()).isEqualTo(-cursor.key());
            }
            int read = 0;
            while (blocks.next()) {
                for (int i = 0; i < blocks.size(); i++) {
                    assertThat(blocks.value(i)).isEqualTo(-blocks.key(i));
                }
                read += blocks.size();
            }
            assertThat(read).isEqualTo(100);
        }
    }

    @Test
    void shouldCloseWhatADepartingBundleLeftOpen() {
        BpfMap left = maps.create(new MapSpec(MapType.HASH, "fb_left", 4, 8, 2, 0));
        maps.create(new MapSpec(MapType.HASH, "fb_closed", 4, 8, 2, 0)).close();
        Gate gate = maps.newGate();
        BundleMaps other = new BundleMaps(shared, "other");
        BpfMap stays = other.open(left.info().id());
        assertThat(maps.openMaps()).hasSize(2);
        maps.leave();
        assertThat(gate.enter()).isFalse();
        assertThatThrownBy(() -> left.typed(Codec.INT, Codec.LONG).lookup(1)).isInstanceOf(IllegalStateException.class)
                .hasMessage("the map fb_left is closed");
        assertThat(stays.typed(Codec.INT, Codec.LONG).lookup(1)).isEmpty();
        assertThat(other.openMaps()).containsExactly(stays.info());
        stays.close();
    }

    @Test
    void shouldCountCallsAndErrors() {
        assertThatThrownBy(() -> maps.open(Path.of("/sys/fs/bpf/fb_none"))).isInstanceOf(BpfException.class);
        try (BpfMap map = maps.create(new MapSpec(MapType.ARRAY, "fb_test", 4, 8, 1, 0))) {
            TypedMap<Integer, Long> entries = map.typed(Codec.INT, Codec.LONG);
            assertThat(entries.lookup(5)).isEmpty();
            assertThat(entries.update(0, 1L, Condition.NOEXIST)).isFalse();
            assertThatThrownBy(() -> entries.update(5, 1L)).isInstanceOf(IndexOutOfBoundsException.class)
                    .hasMessageContaining("has 1 entries, 0 to 0");
        }
        assertThat(maps.calls()).containsEntry(MapOperation.OPEN, new CallCounts(1, 1))
                .containsEntry(MapOperation.CREATE, new CallCounts(1, 0))
                .containsEntry(MapOperation.LOOKUP, new CallCounts(1, 0))
                .containsEntry(MapOperation.UPDATE, new CallCounts(2, 1))
                .containsEntry(MapOperation.DELETE, new CallCounts(0, 0));
    }
}
