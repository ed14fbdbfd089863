// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.maps.MapType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Waits for running BPF programs. When user space updates an entry of a map of maps, the kernel returns only after every
 * non-sleepable program that may still see the old entry has ended (synchronize_rcu), whichever maps that program uses.
 */
final class GracePeriod implements AutoCloseable {
    private final Descriptor inner;
    private final Descriptor outer;

    GracePeriod() {
        inner = Bpf.createMap(MapType.ARRAY.number(), "fb_grace_inner", 4, 4, 1, 0, 0);
        try {
            outer = Bpf.createMap(MapType.ARRAY_OF_MAPS.number(), "fb_grace", 4, 4, 1, 0, inner.number());
        } catch (RuntimeException refused) {
            inner.close();
            throw refused;
        }
    }

    /** Returns when all programs have ended that ran when it was called. */
    void await() {
        byte[] index = new byte[Integer.BYTES];
        byte[] entry = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.nativeOrder()).putInt(inner.number()).array();
        outer.run(map -> Bpf.update(map, index, entry));
    }

    @Override
    public void close() {
        outer.close();
        inner.close();
    }
}
