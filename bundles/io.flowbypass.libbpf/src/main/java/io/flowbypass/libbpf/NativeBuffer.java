// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.libbpf;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Memory outside the heap that a system call reads and writes in place. It is freed once nothing refers to it, so it can
 * not be used after that. Not thread-safe.
 */
public final class NativeBuffer {
    private final ByteBuffer bytes;
    private final long address;

    private NativeBuffer(int size) {
        bytes = ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder());
        address = size == 0 ? 0 : Pointer.nativeValue(Native.getDirectBufferPointer(bytes));
    }

    /** Memory of so many bytes, all 0. */
    public static NativeBuffer allocate(int size) {
        return new NativeBuffer(size);
    }

    /** Memory with these bytes in it. */
    public static NativeBuffer of(byte[] content) {
        NativeBuffer buffer = new NativeBuffer(content.length);
        buffer.bytes.put(0, content);
        return buffer;
    }

    /** The memory, in the machine's byte order; the same object at each call. */
    public ByteBuffer bytes() {
        return bytes;
    }

    /** Sets bytes to 0. */
    public void clear(int offset, int length) {
        for (int at = offset; at < offset + length; at++) {
            bytes.put(at, (byte) 0);
        }
    }

    /** The address of a byte; 0, which the kernel takes for "none", in a buffer of no bytes. */
    long address(int offset) {
        return address + offset;
    }
}
