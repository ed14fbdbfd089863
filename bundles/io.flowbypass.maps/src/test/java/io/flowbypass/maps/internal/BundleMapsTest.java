// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.flowbypass.libbpf.BpfException;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.Gate;
import io.flowbypass.maps.MapSpec;
import io.flowbypass.maps.MapType;
import io.flowbypass.maps.Mapping;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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
            map.update(key(9), new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
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
            map.update(key(1), value);
            assertThat(map.lookupPerCpu(key(1))).isNotEmpty().allSatisfy(each -> assertThat(each).isEqualTo(value));
            assertThatThrownBy(() -> map.lookup(key(1))).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void shouldRefuseKeysOfAnotherSize() {
        try (BpfMap map = maps.create(new MapSpec(MapType.HASH, "fb_test", 4, 8, 2, 0))) {
            assertThatThrownBy(() -> map.lookup(new byte[3])).hasMessage("a key of the map fb_test has 4 bytes, not 3");
            assertThatThrownBy(() -> map.map(maps.newGate())).hasMessageContaining("BPF_F_MMAPABLE");
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
        assertThatThrownBy(() -> left.lookup(key(1))).isInstanceOf(IllegalStateException.class);
        assertThat(stays.lookup(key(1))).isEmpty();
        assertThat(other.openMaps()).containsExactly(stays.info());
        stays.close();
    }

    @Test
    void shouldCountCallsAndErrors() {
        assertThatThrownBy(() -> maps.open(Path.of("/sys/fs/bpf/fb_none"))).isInstanceOf(BpfException.class);
        try (BpfMap map = maps.create(new MapSpec(MapType.ARRAY, "fb_test", 4, 8, 1, 0))) {
            assertThat(map.lookup(key(5))).isEmpty();
            assertThatThrownBy(() -> map.update(key(5), new byte[8])).hasMessageContaining("E2BIG");
        }
        assertThat(maps.calls().errors()).isEqualTo(2);
        assertThat(maps.calls().calls()).isEqualTo(4);
    }

    @Test
    void shouldWaitForRunningPrograms() {
        for (int i = 0; i < 5; i++) {
            long begin = System.nanoTime();
            maps.awaitRunningPrograms();
            assertThat(System.nanoTime() - begin).isBetween(100_000L, 2_000_000_000L);
        }
        shared.stop();
    }

    private static byte[] key(int key) {
        return ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(key).array();
    }
}
