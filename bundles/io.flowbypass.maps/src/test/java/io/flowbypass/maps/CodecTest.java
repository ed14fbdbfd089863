// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class CodecTest {
    private final ByteBuffer buffer = ByteBuffer.allocate(16).order(ByteOrder.nativeOrder());

    private <T> byte[] written(Codec<T> codec, T value) {
        codec.write(value, buffer, 3);
        assertThat(codec.read(buffer, 3)).isEqualTo(value);
        byte[] bytes = new byte[codec.size()];
        buffer.get(3, bytes);
        return bytes;
    }

    @Test
    void shouldWriteNumbersInTheByteOrderOfTheMachine() {
        assertThat(written(Codec.BYTE, (byte) 7)).containsExactly(7);
        written(Codec.SHORT, (short) 258);
        assertThat(buffer.getShort(3)).isEqualTo((short) 258);
        written(Codec.INT, 1 << 20);
        assertThat(buffer.getInt(3)).isEqualTo(1 << 20);
        written(Codec.LONG, -2L);
        assertThat(buffer.getLong(3)).isEqualTo(-2);
    }

    @Test
    void shouldWritePortsAndAddressesInNetworkByteOrder() {
        assertThat(written(Codec.NETWORK_SHORT, (short) 443)).containsExactly(1, 187);
        assertThat(written(Codec.NETWORK_INT, 0xC0000201)).containsExactly(192, 0, 2, 1);
    }

    @Test
    void shouldRefuseBytesOfAnotherLength() {
        assertThat(written(Codec.bytes(3), new byte[] {1, 2, 3})).containsExactly(1, 2, 3);
        assertThatThrownBy(() -> Codec.bytes(3).write(new byte[4], buffer, 0)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("4 bytes were given where there are 3");
        assertThat(buffer.get(0)).isZero();
    }
}
