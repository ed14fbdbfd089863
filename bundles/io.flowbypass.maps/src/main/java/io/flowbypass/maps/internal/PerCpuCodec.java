// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.maps.Codec;
import io.flowbypass.maps.PerCpu;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** The values of all CPUs as the kernel copies them: one after the other, each rounded up to 8 bytes. */
final class PerCpuCodec<V> implements Codec<PerCpu<V>> {
    private final Codec<V> value;
    private final int stride;
    private final int cpus;

    PerCpuCodec(Codec<V> value, int cpus) {
        this.value = value;
        this.stride = stride(value.size());
        this.cpus = cpus;
    }

    /** Bytes from one value to the next, where the kernel keeps several in a row. */
    static int stride(int valueSize) {
        return (valueSize + Long.BYTES - 1) / Long.BYTES * Long.BYTES;
    }

    @Override
    public int size() {
        return stride * cpus;
    }

    @Override
    public PerCpu<V> read(ByteBuffer from, int offset) {
        List<V> values = new ArrayList<>(cpus);
        for (int cpu = 0; cpu < cpus; cpu++) {
            values.add(value.read(from, offset + cpu * stride));
        }
        return new PerCpu<>(values);
    }

    @Override
    public void write(PerCpu<V> values, ByteBuffer to, int offset) {
        if (values.values().size() != cpus) {
            throw new IllegalArgumentException(
                    values.values().size() + " values were given where each of the " + cpus + " possible CPUs has one");
        }
        for (int cpu = 0; cpu < cpus; cpu++) {
            value.write(values.values().get(cpu), to, offset + cpu * stride);
        }
    }
}
