// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.libbpf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class BpfTest {
    private static final int HASH = 1;
    private static final int ARRAY = 2;
    private static final int MMAPABLE = 1 << 10;

    @BeforeAll
    static void needsRoot() {
        assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
    }

    @Test
    void shouldKeepWhatWasPutIntoAMap() {
        try (Descriptor map = Bpf.createMap(HASH, "fb_test", 4, 8, 16, 0, 0)) {
            NativeBuffer key = NativeBuffer.of(key(1));
            NativeBuffer value = NativeBuffer.allocate(8);
            assertThat(Bpf.lookup(map.number(), key, 0, value, 0, 0)).isFalse();
            Bpf.update(map.number(), key, 0, value(4711), 0, Bpf.NOEXIST);
            assertThat(Bpf.lookup(map.number(), key, 0, value, 0, 0)).isTrue();
            assertThat(value.bytes().getLong(0)).isEqualTo(4711);
            assertThatThrownBy(() -> Bpf.update(map.number(), key, 0, value(1), 0, Bpf.NOEXIST))
                    .hasMessageContaining("EEXIST");
            NativeBuffer next = NativeBuffer.allocate(8);
            assertThat(Bpf.nextKey(map.number(), null, 0, next, 4)).isTrue();
            assertThat(next.bytes().getInt(4)).isEqualTo(1);
            assertThat(Bpf.nextKey(map.number(), key, 0, next, 0)).isFalse();
            assertThat(Bpf.lookupAndDelete(map.number(), key, 0, value, 0, 0)).isTrue();
            assertThat(Bpf.delete(map.number(), key, 0)).isFalse();
        }
    }

    @Test
    void shouldDescribeAMap() {
        try (Descriptor map = Bpf.createMap(HASH, "fb_test", 4, 8, 16, 1, 0)) {
            MapDescription description = Bpf.describeMap(map.number());
            assertThat(description)
                    .isEqualTo(new MapDescription(description.id(), HASH, "fb_test", 4, 8, 16, 1));
            try (Descriptor again = Bpf.openMap(description.id())) {
                assertThat(Bpf.describeMap(again.number())).isEqualTo(description);
            }
        }
    }

    @Test
    void shouldTellNoStructOfAMapWithoutTypeInformation() {
        try (Descriptor map = Bpf.createMap(HASH, "fb_test", 4, 8, 16, 1, 0)) {
            assertThat(Bpf.structOfValues(map.number())).isEmpty();
        }
    }

    @Test
    void shouldShareMemoryWithTheKernel() {
        try (Descriptor map = Bpf.createMap(ARRAY, "fb_test", 4, 8, 1024, MMAPABLE, 0);
                MappedMemory memory = Bpf.map(map.number(), 0, 8192, true)) {
            ByteBuffer buffer = memory.buffer();
            assertThat(buffer.order()).isEqualTo(ByteOrder.nativeOrder());
            buffer.putLong(8 * 1023, 4711);
            NativeBuffer value = NativeBuffer.allocate(8);
            assertThat(Bpf.lookup(map.number(), NativeBuffer.of(key(1023)), 0, value, 0, 0)).isTrue();
            assertThat(value.bytes().getLong(0)).isEqualTo(4711);
        }
    }

    @Test
    void shouldNameWhatIsMissing() {
        assertThatThrownBy(() -> Bpf.open(Path.of("/sys/fs/bpf/fb_no_such_pin"))).isInstanceOf(BpfException.class)
                .hasMessage("opening /sys/fs/bpf/fb_no_such_pin failed with ENOENT: it does not exist");
    }

    @Test
    void shouldSayWhyAnObjectFileCannotBeOpened() {
        assertThatThrownBy(() -> BpfObject.open("rubbish.o", new byte[100])).isInstanceOf(BpfException.class)
                .hasMessageContaining("opening rubbish.o").hasMessageContaining("rubbish").hasMessageContaining("ELF");
    }

    @Test
    void shouldRefuseAClosedDescriptor() {
        Descriptor map = Bpf.createMap(HASH, "fb_test", 4, 8, 16, 0, 0);
        map.close();
        map.close();
        assertThatThrownBy(map::number).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void shouldLockADirectoryOnce() throws Exception {
        Path directory = Files.createTempDirectory("fb-lock");
        try (Descriptor lock = Host.lock(directory).orElseThrow()) {
            assertThat(lock.number()).isPositive();
            assertThat(Host.lock(directory)).isEmpty();
        }
        Host.lock(directory).orElseThrow().close();
        Files.delete(directory);
    }

    @Test
    void shouldTellTheBpfFileSystemFromOthers() {
        assertThat(Host.isOnBpfFileSystem(Path.of("/sys/fs/bpf"))).isTrue();
        assertThat(Host.isOnBpfFileSystem(Path.of("/tmp"))).isFalse();
        assertThatThrownBy(() -> Host.isOnBpfFileSystem(Path.of("/no/such/place"))).hasMessageContaining("ENOENT");
    }

    @Test
    void shouldKnowInterfacesByName() {
        assertThat(Host.interfaceIndex("lo")).hasValue(1);
        assertThat(Host.interfaceIndex("fb-none")).isEmpty();
    }

    @Test
    void shouldCountWhatABatchDidAlsoWhenItWasRefused() {
        try (Descriptor map = Bpf.createMap(HASH, "fb_test", 4, 8, 2, 0, 0)) {
            NativeBuffer keys = NativeBuffer.allocate(12);
            keys.bytes().putInt(0, 1).putInt(4, 2).putInt(8, 3);
            NativeBuffer count = NativeBuffer.allocate(4);
            count.bytes().putInt(0, 3);
            assertThatThrownBy(() -> Bpf.updateBatch(map.number(), keys, 0, NativeBuffer.allocate(24), 0, count, 0))
                    .hasMessageContaining("E2BIG");
            assertThat(count.bytes().getInt(0)).isEqualTo(2);
            count.bytes().putInt(0, 3);
            assertThatThrownBy(() -> Bpf.updateBatch(map.number(), keys, 0, NativeBuffer.allocate(24), 0, count,
                    Bpf.F_LOCK)).hasMessageContaining("EINVAL");
            assertThat(count.bytes().getInt(0)).as("the kernel leaves 3 there").isZero();
        }
    }

    /** A drain that found the lock of the next bucket taken, after it had filled the block: EBUSY, ETIMEDOUT. */
    @Test
    void shouldBelieveTheCountOfAFullBlockThatFailedLate() {
        NativeBuffer count = NativeBuffer.allocate(4);
        for (int late : new int[] {-16, -35, -110, -2, 0}) {
            count.bytes().putInt(0, 100);
            assertThat(Bpf.settled(late, count, 100)).isEqualTo(late);
            assertThat(count.bytes().getInt(0)).isEqualTo(100);
        }
        for (int early : new int[] {-1, -9, -22, -95, -524}) {
            Bpf.settled(early, count, 100);
            assertThat(count.bytes().getInt(0)).as("count after %s", early).isZero();
            count.bytes().putInt(0, 100);
        }
    }

    @Test
    void shouldFreezeAMap() {
        try (Descriptor map = Bpf.createMap(HASH, "fb_test", 4, 8, 2, 0, 0)) {
            assertThat(Bpf.isFrozen(map.number())).isFalse();
            Bpf.freeze(map.number());
            assertThat(Bpf.isFrozen(map.number())).isTrue();
        }
    }

    @Test
    void shouldFindEveryMapByItsId() {
        try (Descriptor map = Bpf.createMap(HASH, "fb_test", 4, 8, 2, 0, 0)) {
            int id = Bpf.describeMap(map.number()).id();
            assertThat(Bpf.nextMapId(id - 1)).hasValue(id);
            assertThat(Bpf.nextMapId(Integer.MAX_VALUE - 1)).isEmpty();
        }
    }

    private static NativeBuffer value(long value) {
        NativeBuffer buffer = NativeBuffer.allocate(8);
        buffer.bytes().putLong(0, value);
        return buffer;
    }

    private static byte[] key(int key) {
        return ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(key).array();
    }
}
