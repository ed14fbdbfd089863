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
            byte[] value = new byte[8];
            assertThat(Bpf.lookup(map.number(), key(1), value)).isFalse();
            Bpf.update(map.number(), key(1), new byte[] {1, 2, 3, 4, 5, 6, 7, 8});
            assertThat(Bpf.lookup(map.number(), key(1), value)).isTrue();
            assertThat(value).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
            byte[] next = new byte[4];
            assertThat(Bpf.nextKey(map.number(), null, next)).isTrue();
            assertThat(next).isEqualTo(key(1));
            assertThat(Bpf.nextKey(map.number(), key(1), next)).isFalse();
            assertThat(Bpf.delete(map.number(), key(1))).isTrue();
            assertThat(Bpf.delete(map.number(), key(1))).isFalse();
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
    void shouldShareMemoryWithTheKernel() {
        try (Descriptor map = Bpf.createMap(ARRAY, "fb_test", 4, 8, 1024, MMAPABLE, 0);
                MappedMemory memory = Bpf.map(map.number(), 8192)) {
            ByteBuffer buffer = memory.buffer();
            assertThat(buffer.order()).isEqualTo(ByteOrder.nativeOrder());
            buffer.putLong(8 * 1023, 4711);
            byte[] value = new byte[8];
            assertThat(Bpf.lookup(map.number(), key(1023), value)).isTrue();
            assertThat(ByteBuffer.wrap(value).order(ByteOrder.nativeOrder()).getLong()).isEqualTo(4711);
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

    private static byte[] key(int key) {
        return ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(key).array();
    }
}
