// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Locale;

/**
 * A tool whose tables XDP can use: how those are laid out, which {@code bpf/classic.h} draws, for the IPv4 flows of
 * {@link Family}; and which of this bench's programs has its design.
 */
enum Tool {
    /** Keys as those of {@code classic.bpf.c}, and its values, one per CPU: time, packets, bytes. */
    LIBFLOWBYPASS("classic", List.of("flows_v4"), 3 * Long.BYTES, 0, List.of(Long.BYTES)) {
        @Override
        byte[] key(int number) {
            return Family.IPV4.classicKey(number);
        }
    },
    /** The same keys with another last word; a value per CPU: packets, bytes. */
    SURICATA("suricata", List.of("flows"), 2 * Long.BYTES, -1, List.of(0)) {
        private static final int REST = 12;
        private static final int TCP = 1;

        @Override
        String setting(int entries) {
            return this + "/bench " + entries;
        }

        @Override
        byte[] key(int number) {
            byte[] key = Family.IPV4.classicKey(number);
            ByteBuffer.wrap(key).order(ByteOrder.nativeOrder()).putInt(REST, TCP);
            return key;
        }
    },
    /** Both directions in one key, addresses mapped into IPv6; one value: lock, packets and bytes each way, time. */
    ZEEK("zeek", List.of("flows", "pairs"), 6 * Long.BYTES, 5 * Long.BYTES, List.of(Long.BYTES, 2 * Long.BYTES)) {
        private static final int KEY = 44;
        private static final int MAPPED = 0xffff;
        private static final int DESTINATION = 4;
        private static final int PORTS = 8;
        private static final int PROTOCOL = 12;

        @Override
        byte[] key(int number) {
            ByteBuffer tuple = ByteBuffer.wrap(Family.IPV4.classicKey(number)).order(ByteOrder.nativeOrder());
            // Numbers of this machine, whatever the byte order of an address.
            boolean swapped = Integer.compareUnsigned(tuple.getInt(0), tuple.getInt(DESTINATION)) > 0;
            int protocol = tuple.getInt(PROTOCOL);
            tuple.order(ByteOrder.BIG_ENDIAN);
            ByteBuffer key = ByteBuffer.allocate(KEY);
            putAddress(key, tuple.getInt(swapped ? DESTINATION : 0));
            putAddress(key, tuple.getInt(swapped ? 0 : DESTINATION));
            key.order(ByteOrder.nativeOrder()).putShort(tuple.getShort(swapped ? PORTS + Short.BYTES : PORTS))
                    .putShort(tuple.getShort(swapped ? PORTS : PORTS + Short.BYTES)).putInt(protocol);
            return key.array();
        }

        private void putAddress(ByteBuffer key, int address) {
            key.putLong(0).putInt(MAPPED).putInt(address);
        }
    };

    /** How many each has, whether its own program uses both or not. */
    static final int TABLES = 2;

    private final String design;
    private final List<String> maps;
    private final int valueSize;
    private final int timeOffset;
    private final List<Integer> packetOffsets;

    Tool(String design, List<String> maps, int valueSize, int timeOffset, List<Integer> packetOffsets) {
        this.design = design;
        this.maps = maps;
        this.valueSize = valueSize;
        this.timeOffset = timeOffset;
        this.packetOffsets = packetOffsets;
    }

    /** As it is called in configurations. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** What {@code classic.tables} has to be for maps of so many entries. */
    String setting(int entries) {
        return this + " " + entries;
    }

    /** The object, and the program in it, with the tool's own design. */
    String design() {
        return design;
    }

    /** The maps of that: first the one of the flows. */
    List<String> maps() {
        return maps;
    }

    /** The key of a flow. */
    abstract byte[] key(int number);

    /** A value, of one CPU where there is one for each. */
    byte[] value(long time, long packets) {
        ByteBuffer value = ByteBuffer.allocate(valueSize).order(ByteOrder.nativeOrder());
        if (timeOffset >= 0) {
            value.putLong(timeOffset, time);
        }
        return value.putLong(packetOffsets.get(0), packets).array();
    }

    /** The packets in many values, one behind the other. */
    long packets(ByteBuffer values) {
        long packets = 0;
        for (int value = 0; value < values.limit(); value += valueSize) {
            for (int offset : packetOffsets) {
                packets += values.getLong(value + offset);
            }
        }
        return packets;
    }
}
