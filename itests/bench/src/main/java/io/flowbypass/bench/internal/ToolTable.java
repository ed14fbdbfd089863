// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import io.flowbypass.maps.BatchUpdate;
import io.flowbypass.maps.Blocks;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.Codec;
import io.flowbypass.maps.PerCpu;
import io.flowbypass.maps.TypedMap;
import java.util.function.Function;

/** A map of flows that is laid out as a tool's; Flowbypass's, or that of the tool's own design. */
record ToolTable(Tool tool, BpfMap map, int cpus) {
    static final int BLOCK = 4096;

    /** Puts flows into it: of the first, each CPU counted no packet, of the second one, and so on; the last came then. */
    void add(int first, int count, long time) {
        if (map.info().type().isPerCpu()) {
            add(perCpu(), value -> PerCpu.same(value, cpus), first, count, time);
        } else {
            add(single(), Function.identity(), first, count, time);
        }
    }

    private <V> void add(TypedMap<byte[], V> entries, Function<byte[], V> form, int first, int count, long time) {
        try (BatchUpdate<byte[], V> update = entries.updateBatch(BLOCK)) {
            for (int i = 0; i < count; i++) {
                update.add(tool.key(first + i), form.apply(tool.value(time, i)));
            }
        }
    }

    /** Packets in all its values. */
    long packets() {
        long packets = 0;
        Blocks<byte[], ?> blocks = entries().lookupBatch(BLOCK);
        while (blocks.next()) {
            packets += tool.packets(blocks.values());
        }
        return packets;
    }

    /** Takes all out. */
    void clear() {
        Blocks<byte[], ?> blocks = entries().drain(BLOCK);
        while (blocks.next()) {
            // They are out.
        }
    }

    private TypedMap<byte[], ?> entries() {
        return map.info().type().isPerCpu() ? perCpu() : single();
    }

    private TypedMap<byte[], PerCpu<byte[]>> perCpu() {
        return map.perCpu(Codec.bytes(map.info().keySize()), Codec.bytes(map.info().valueSize()));
    }

    private TypedMap<byte[], byte[]> single() {
        return map.typed(Codec.bytes(map.info().keySize()), Codec.bytes(map.info().valueSize()));
    }
}
