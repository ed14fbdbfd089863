// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.libbpf;

import com.sun.jna.Pointer;
import io.flowbypass.libbpf.internal.Libc;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicBoolean;

/** Memory shared with the kernel. Whoever touches its buffer after {@link #close()} crashes the JVM. */
public final class MappedMemory implements AutoCloseable {
    private final Pointer address;
    private final long length;
    private final AtomicBoolean unmapped = new AtomicBoolean();

    MappedMemory(Pointer address, long length) {
        this.address = address;
        this.length = length;
    }

    /** The memory, in the machine's byte order. */
    public ByteBuffer buffer() {
        return address.getByteBuffer(0, length).order(ByteOrder.nativeOrder());
    }

    /** Unmaps it; does nothing when that happened already. */
    @Override
    public void close() {
        if (unmapped.compareAndSet(false, true)) {
            Libc.get().munmap(address, length);
        }
    }
}
