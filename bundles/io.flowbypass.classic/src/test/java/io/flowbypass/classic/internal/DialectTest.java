// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.classic.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.flow.FlowKey;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The layouts, byte by byte, on a little-endian machine. */
class DialectTest {
    private static final int TCP = 6;
    private static final int UDP = 17;
    private static final int CPUS = 2;

    private static String hex(byte[] key) {
        return HexFormat.of().formatHex(key);
    }

    private static void isRead(Dialect dialect, FlowKey flow) {
        byte[] key = dialect.key(flow);
        ByteBuffer keys = ByteBuffer.allocate(key.length + 3).order(ByteOrder.nativeOrder()).put(3, key);
        assertThat(dialect.key(keys, 3)).isEqualTo(flow);
        assertThat(dialect.protocol(keys, 3)).isEqualTo(flow.protocol());
    }

    @Test
    void shouldWriteAndReadKeysOfLibflowbypass() {
        FlowKey flow = FlowKey.of(UDP, "10.0.0.1", 53, "192.0.2.255", 65535);
        assertThat(hex(new Libflowbypass(false, CPUS).key(flow))).isEqualTo("0a000001" + "c00002ff" + "0035" + "ffff" + "11000000");
        isRead(new Libflowbypass(false, CPUS), flow);
        FlowKey ipv6 = FlowKey.of(TCP, "2001:db8::1", 1, "2001:db8::ffff:2", 2);
        isRead(new Libflowbypass(true, CPUS), ipv6);
        assertThat(new Libflowbypass(false, CPUS).keys(ipv6)).isEmpty();
    }

    @Test
    void shouldWriteAndReadKeysOfSuricata() {
        FlowKey flow = FlowKey.of(TCP, "10.0.0.1", 53, "192.0.2.255", 80).withVlans(100, 4095);
        assertThat(hex(new Suricata(false, CPUS).key(flow))).isEqualTo("0a000001" + "c00002ff" + "0035" + "0050" + "c900" + "ff0f");
        isRead(new Suricata(false, CPUS), flow);
        isRead(new Suricata(true, CPUS), FlowKey.of(UDP, "2001:db8::1", 1, "2001:db8::2", 2));
        assertThat(new Suricata(false, CPUS).keys(FlowKey.of(1, "10.0.0.1", 0, "10.0.0.2", 0))).isEmpty();
    }

    @Test
    void shouldWriteAndReadKeysOfZeek() {
        FlowKey flow = FlowKey.of(UDP, "10.0.0.1", 53, "192.0.2.255", 80).withVlans(1, 2);
        assertThat(hex(new Zeek(false).key(flow))).isEqualTo("00000000000000000000ffff0a000001"
                + "00000000000000000000ffffc00002ff" + "3500" + "5000" + "1100" + "0100" + "0200" + "0000");
        isRead(new Zeek(false), flow);
        isRead(new Zeek(false), FlowKey.of(TCP, "2001:db8::1", 1, "2001:db8::2", 2));
        isRead(new Zeek(true), FlowKey.of(0, "10.0.0.1", 0, "10.0.0.2", 0));
    }

    @Test
    void shouldPutTheSmallerEndpointOfZeekFirstAsThisMachineReadsIt() {
        Zeek zeek = new Zeek(false);
        FlowKey flow = FlowKey.of(UDP, "10.0.0.2", 1, "192.0.2.1", 2);
        List<byte[]> keys = zeek.keys(flow);
        assertThat(keys).singleElement().isEqualTo(zeek.key(flow.reversed()));
        assertThat(zeek.keys(flow.reversed())).singleElement().isEqualTo(keys.get(0));
        assertThat(zeek.keys(FlowKey.of(UDP, "10.0.0.1", 2, "10.0.0.1", 1))).singleElement()
                .isEqualTo(zeek.key(FlowKey.of(UDP, "10.0.0.1", 1, "10.0.0.1", 2)));
    }

    @Test
    void shouldSumTheValuesOfAllCpusAndTakeTheNewestTime() {
        Counts counts = new Counts();
        ByteBuffer values = ByteBuffer.allocate(8 + 48).order(ByteOrder.nativeOrder());
        values.putLong(8, 50).putLong(16, 1).putLong(24, 100).putLong(32, 70).putLong(40, 2).putLong(48, 300);
        new Libflowbypass(false, CPUS).read(values, 8, counts);
        assertThat(List.of(counts.time, counts.packets, counts.bytes, counts.packetsBack)).containsExactly(70L, 3L, 400L, 0L);
        new Suricata(false, 3).read(values, 8, counts);
        assertThat(List.of(counts.time, counts.packets, counts.bytes)).containsExactly(0L, 50L + 100 + 2, 1L + 70 + 300);
        new Zeek(false).read(values, 8, counts);
        assertThat(List.of(counts.packets, counts.packetsBack, counts.bytes, counts.bytesBack, counts.time))
                .containsExactly(1L, 100L, 70L, 2L, 300L);
    }

    @Test
    void shouldReadWhateverIsInATable() {
        byte[] junk = new byte[44];
        Arrays.fill(junk, (byte) 0xff);
        ByteBuffer keys = ByteBuffer.wrap(junk).order(ByteOrder.nativeOrder());
        for (Dialect dialect : List.of(new Libflowbypass(false, CPUS), new Libflowbypass(true, CPUS),
                new Suricata(false, CPUS), new Suricata(true, CPUS), new Zeek(false), new Zeek(true))) {
            assertThat(dialect.key(keys, 0)).as(dialect.toString()).isNotNull();
        }
    }
}
