// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.classic.internal;

import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.Origin;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.Codec;
import io.flowbypass.maps.PerCpu;
import io.flowbypass.maps.TypedMap;
import io.flowbypass.xdp.ClassicTable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Locale;

/**
 * The layout of one tool's table, and its rules; the layouts are drawn in {@code classic.h}. Stateless: reads what it is given,
 * at an offset, in the machine's byte order.
 */
abstract class Dialect {
    private static final int VLAN_ID = 0x0fff;

    private final Origin origin;
    private final int keySize;
    private final int valueSize;

    Dialect(Origin origin, int keySize, int valueSize) {
        this.origin = origin;
        this.keySize = keySize;
        this.valueSize = valueSize;
    }

    /** That of a table. */
    static Dialect of(ClassicTable table, int cpus) {
        boolean ipv6 = table.content() == ClassicTable.Content.IPV6;
        return switch (table.dialect()) {
            case LIBFLOWBYPASS -> new Libflowbypass(ipv6, cpus);
            case SURICATA -> new Suricata(ipv6, cpus);
            case ZEEK -> new Zeek(table.content() == ClassicTable.Content.PAIRS);
        };
    }

    /** As the tool is called in configurations. */
    @Override
    public final String toString() {
        return getClass().getSimpleName().toLowerCase(Locale.ROOT);
    }

    /** Which kind of tool puts flows into it. */
    final Origin origin() {
        return origin;
    }

    final int keySize() {
        return keySize;
    }

    /** Bytes of a value, of all CPUs. */
    final int valueSize() {
        return valueSize;
    }

    /** Whether the tool takes flows out by itself, so that only those are taken out here that it has forgotten. */
    abstract boolean toolExpires();

    /** The flow, in the direction of the key. */
    abstract FlowKey key(ByteBuffer keys, int at);

    /** Its protocol. */
    abstract int protocol(ByteBuffer keys, int at);

    /** The key of a flow's direction in this table; null when it cannot be in it. */
    abstract byte[] key(FlowKey flow);

    /** The keys that a flow may have in this table. */
    List<byte[]> keys(FlowKey flow) {
        byte[] forward = key(flow);
        return forward == null ? List.of() : List.of(forward, key(flow.reversed()));
    }

    /** Fills counts with what a value says. */
    abstract void read(ByteBuffer values, int at, Counts into);

    /** The entries of a map of this layout, as bytes. */
    TypedMap<byte[], ?> entries(BpfMap map) {
        Codec<byte[]> key = Codec.bytes(map.info().keySize());
        Codec<byte[]> value = Codec.bytes(map.info().valueSize());
        return map.info().type().isPerCpu() ? map.perCpu(key, value) : map.typed(key, value);
    }

    /** A value, in the form in which {@link #read} takes it. */
    static ByteBuffer flat(Object value) {
        if (value instanceof PerCpu<?> each) {
            int size = each.values().stream().mapToInt(one -> ((byte[]) one).length).sum();
            ByteBuffer all = ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
            each.values().forEach(one -> all.put((byte[]) one));
            return all;
        }
        return ByteBuffer.wrap((byte[]) value).order(ByteOrder.nativeOrder());
    }

    static FlowKey withVlans(FlowKey flow, int outer, int inner) {
        return outer == 0 && inner == 0 ? flow : flow.withVlans(outer & VLAN_ID, inner & VLAN_ID);
    }

    /** Of two numbers in network byte order. */
    static long big(long stored) {
        return ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? stored : Long.reverseBytes(stored);
    }

    static int big(int stored) {
        return ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? stored : Integer.reverseBytes(stored);
    }

    static int big(short stored) {
        return Short.toUnsignedInt(ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? stored : Short.reverseBytes(stored));
    }
}
