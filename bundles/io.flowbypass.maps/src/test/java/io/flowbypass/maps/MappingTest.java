// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class MappingTest {
    private final Mapping mapping = new Mapping(ByteBuffer.allocateDirect(64));

    @Test
    void shouldReadWhatWasWritten() {
        mapping.setLong(8, 0x0102030405060708L);
        assertThat(mapping.getLong(8)).isEqualTo(0x0102030405060708L);
        assertThat(mapping.getLongAcquire(8)).isEqualTo(mapping.getLongVolatile(8));
        assertThat(mapping.getWord(1)).isEqualTo(mapping.getLong(8));
        mapping.setLongRelease(56, -1);
        assertThat(mapping.getIntVolatile(60)).isEqualTo(-1);
        mapping.setInt(60, 7);
        assertThat(mapping.getAndSetInt(60, 8)).isEqualTo(7);
        assertThat(mapping.getIntAcquire(60)).isEqualTo(8);
        assertThat(mapping.size()).isEqualTo(64);
    }

    @Test
    void shouldReadAndWriteWhatIsNotAligned() {
        mapping.setLong(3, 0x0102030405060708L);
        mapping.setInt(13, -2);
        assertThat(mapping.getLong(3)).isEqualTo(0x0102030405060708L);
        assertThat(mapping.getInt(13)).isEqualTo(-2);
        assertThat(mapping.getInt(7)).isEqualTo((int) (mapping.getLong(3) >>> 32));
    }

    @Test
    void shouldChangeALongOnlyWhereItIsAsExpected() {
        assertThat(mapping.compareAndSetLong(0, 1, 2)).isFalse();
        assertThat(mapping.compareAndSetLong(0, 0, 2)).isTrue();
        assertThat(mapping.getAndAddLong(0, 40)).isEqualTo(2);
        assertThat(mapping.getLong(0)).isEqualTo(42);
    }

    @Test
    void shouldMoveBytesInAndOut() {
        mapping.put(3, new byte[] {1, 2, 3});
        byte[] read = new byte[4];
        mapping.get(2, read);
        assertThat(read).containsExactly(0, 1, 2, 3);
    }

    @Test
    void shouldRefuseOffsetsOutside() {
        assertThatThrownBy(() -> mapping.getLong(57)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> mapping.getWord(8)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> mapping.setInt(-4, 1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> mapping.put(62, new byte[3])).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void shouldRefuseMemoryThatAtomicsCannotUse() {
        assertThatThrownBy(() -> new Mapping(ByteBuffer.allocate(64))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Mapping(ByteBuffer.allocateDirect(64).position(4).slice()))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
