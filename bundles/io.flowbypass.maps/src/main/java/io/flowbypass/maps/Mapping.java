// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;

/**
 * Memory that the kernel, or another thread, writes at the same time. Each method is one load or store, or one atomic
 * instruction, in the machine's byte order, after a bounds check.
 *
 * <p>Thread-safe in the sense of {@link VarHandle}: the suffixes Acquire, Release and Volatile mean what they mean there,
 * and a method without one is a plain access. Offsets are bytes from the beginning. Every method throws
 * {@link IndexOutOfBoundsException} for an offset outside, and those with a memory order
 * {@link IllegalStateException} for one that is no multiple of the word's size.
 *
 * <p>A mapping that {@link BpfMap#map} made may only be touched inside its {@link Gate}.
 */
public final class Mapping {
    private static final VarHandle LONG =
            MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.nativeOrder());
    private static final VarHandle INT = MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.nativeOrder());

    private final ByteBuffer memory;
    private final LongBuffer words;

    /**
     * A view of memory.
     *
     * @param memory a direct buffer whose first byte has an address divisible by 8
     */
    public Mapping(ByteBuffer memory) {
        if (!memory.isDirect() || memory.alignmentOffset(0, Long.BYTES) != 0) {
            throw new IllegalArgumentException("a mapping needs direct memory, aligned to 8 bytes");
        }
        this.memory = memory.duplicate().clear().order(ByteOrder.nativeOrder());
        this.words = this.memory.asLongBuffer();
    }

    /** Its length in bytes. */
    public long size() {
        return memory.capacity();
    }

    // What is plain goes by the buffers' own methods: around a VarHandle's access the compiler keeps nothing in registers.

    /** Reads 8 bytes by their number: those from {@code 8 * number} on. The cheapest way to read many. */
    public long getWord(int number) {
        return words.get(number);
    }

    /** Reads 8 bytes. */
    public long getLong(int offset) {
        return memory.getLong(offset);
    }

    /** Reads 8 bytes; later accesses stay behind it. */
    public long getLongAcquire(int offset) {
        return (long) LONG.getAcquire(memory, offset);
    }

    /** Reads 8 bytes, in one order with all other volatile accesses. */
    public long getLongVolatile(int offset) {
        return (long) LONG.getVolatile(memory, offset);
    }

    /** Writes 8 bytes. */
    public void setLong(int offset, long value) {
        memory.putLong(offset, value);
    }

    /** Writes 8 bytes; earlier accesses stay before it. */
    public void setLongRelease(int offset, long value) {
        LONG.setRelease(memory, offset, value);
    }

    /** Writes 8 bytes where they are as expected; atomic and volatile. */
    public boolean compareAndSetLong(int offset, long expected, long value) {
        return LONG.compareAndSet(memory, offset, expected, value);
    }

    /** Adds to 8 bytes and returns what was there; atomic and volatile. */
    public long getAndAddLong(int offset, long delta) {
        return (long) LONG.getAndAdd(memory, offset, delta);
    }

    /** Reads 4 bytes. */
    public int getInt(int offset) {
        return memory.getInt(offset);
    }

    /** Reads 4 bytes; later accesses stay behind it. */
    public int getIntAcquire(int offset) {
        return (int) INT.getAcquire(memory, offset);
    }

    /** Reads 4 bytes, in one order with all other volatile accesses. */
    public int getIntVolatile(int offset) {
        return (int) INT.getVolatile(memory, offset);
    }

    /** Writes 4 bytes. */
    public void setInt(int offset, int value) {
        memory.putInt(offset, value);
    }

    /** Writes 4 bytes; earlier accesses stay before it. */
    public void setIntRelease(int offset, int value) {
        INT.setRelease(memory, offset, value);
    }

    /** Writes 4 bytes, in one order with all other volatile accesses. */
    public void setIntVolatile(int offset, int value) {
        INT.setVolatile(memory, offset, value);
    }

    /** Writes 4 bytes and returns what was there; atomic and volatile. */
    public int getAndSetInt(int offset, int value) {
        return (int) INT.getAndSet(memory, offset, value);
    }

    /** Reads as many bytes as fit, not atomically. */
    public void get(int offset, byte[] into) {
        memory.get(offset, into);
    }

    /** Reads some bytes into the beginning of an array, not atomically. */
    public void get(int offset, byte[] into, int length) {
        memory.get(offset, into, 0, length);
    }

    /** Writes bytes, not atomically. */
    public void put(int offset, byte[] from) {
        memory.put(offset, from);
    }
}
