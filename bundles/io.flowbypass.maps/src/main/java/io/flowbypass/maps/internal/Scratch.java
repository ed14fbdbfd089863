// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.libbpf.NativeBuffer;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicReference;

/** Room for one key and one value; a spare one is kept, so that a thread that is alone makes no other. */
final class Scratch {
    final NativeBuffer key;
    final NativeBuffer value;
    /** The value for codecs to read. */
    final ByteBuffer readable;

    private Scratch(int keySize, int valueSize) {
        key = NativeBuffer.allocate(keySize);
        value = NativeBuffer.allocate(valueSize);
        readable = readable(value);
    }

    /** A buffer's memory, read-only. */
    static ByteBuffer readable(NativeBuffer buffer) {
        return buffer.bytes().asReadOnlyBuffer().order(buffer.bytes().order());
    }

    /** Lends them. Thread-safe. */
    static final class Pool {
        private final AtomicReference<Scratch> spare = new AtomicReference<>();
        private final int keySize;
        private final int valueSize;

        Pool(int keySize, int valueSize) {
            this.keySize = keySize;
            this.valueSize = valueSize;
        }

        Scratch take() {
            Scratch taken = spare.getAndSet(null);
            return taken == null ? new Scratch(keySize, valueSize) : taken;
        }

        void give(Scratch scratch) {
            spare.set(scratch);
        }
    }
}
