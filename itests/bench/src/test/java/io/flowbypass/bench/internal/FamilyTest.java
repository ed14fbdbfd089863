// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.flow.FlowKey;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FamilyTest {
    private static final int NUMBER = 0xf0010203;
    private static final int ETHERNET = 14;

    @Test
    void shouldNameTheFlowOfItsFrame() {
        assertThat(Family.IPV4.key(NUMBER)).isEqualTo(FlowKey.of(6, "240.1.2.3", 40000, "192.0.2.1", 443));
        assertThat(Family.IPV6.key(NUMBER)).isEqualTo(FlowKey.of(6, "2001:db8::f001:203", 40000, "2001:db8::1", 443));
    }

    @Test
    void shouldGiveLengthsThatFitTheFrame() {
        ByteBuffer ipv4 = ByteBuffer.wrap(Family.IPV4.frame(NUMBER));
        assertThat(ipv4.getShort(ETHERNET + 2)).isEqualTo((short) (ipv4.capacity() - ETHERNET));
        ByteBuffer ipv6 = ByteBuffer.wrap(Family.IPV6.frame(NUMBER));
        assertThat(ipv6.getShort(ETHERNET + 4)).isEqualTo((short) (ipv6.capacity() - ETHERNET - 40));
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    void shouldWriteTheNumberWhereTheDriverDoes(Family family) {
        ByteBuffer other = ByteBuffer.wrap(family.frame(0)).putInt(family.numberOffset(), NUMBER);
        assertThat(other.array()).isEqualTo(family.frame(NUMBER));
    }

    @Test
    void shouldLayTheClassicKeyOutAsInC() {
        assertThat(Family.IPV4.classicKey(NUMBER)).isEqualTo(ByteBuffer.allocate(16).putInt(NUMBER).putInt(0xc0000201)
                .putShort((short) 40000).putShort((short) 443).order(ByteOrder.nativeOrder()).putInt(6).array());
        assertThat(Family.IPV6.classicKey(NUMBER)).isEqualTo(ByteBuffer.allocate(40).putLong(0x20010db800000000L)
                .putInt(0).putInt(NUMBER).putLong(0x20010db800000000L).putLong(1).putShort((short) 40000)
                .putShort((short) 443).order(ByteOrder.nativeOrder()).putInt(6).array());
    }
}
