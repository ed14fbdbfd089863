// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Turns a key or a value into the bytes that the map holds, and back. Implementations are stateless or otherwise
 * thread-safe, always use the same number of bytes, touch no byte outside of their own, and leave byte order, position and
 * limit of a buffer as they are.
 *
 * <p>Buffers have the machine's byte order, which is that of a C structure. A field in network byte order is turned by
 * the codec itself, as {@link #NETWORK_INT} does. For a structure:
 *
 * <pre>
 *     struct counts { u64 packets; u64 bytes; };        0        8       16
 *                                                       | packets | bytes |
 *
 *     record Counts(long packets, long bytes) {
 *         static final Codec&lt;Counts&gt; CODEC = Codec.of(16,
 *                 (from, at) -&gt; new Counts(from.getLong(at), from.getLong(at + 8)),
 *                 (counts, to, at) -&gt; to.putLong(at, counts.packets).putLong(at + 8, counts.bytes));
 *     }
 * </pre>
 *
 * @param <T> what it turns into bytes
 */
public interface Codec<T> {
    /** A {@code u8}. */
    Codec<Byte> BYTE = of(Byte.BYTES, (from, at) -> from.get(at), (value, to, at) -> to.put(at, value));

    /** A {@code u16} in the machine's byte order. */
    Codec<Short> SHORT = of(Short.BYTES, ByteBuffer::getShort, (value, to, at) -> to.putShort(at, value));

    /** A {@code u32} in the machine's byte order. */
    Codec<Integer> INT = of(Integer.BYTES, ByteBuffer::getInt, (value, to, at) -> to.putInt(at, value));

    /** A {@code u64} in the machine's byte order. */
    Codec<Long> LONG = of(Long.BYTES, ByteBuffer::getLong, (value, to, at) -> to.putLong(at, value));

    /** A {@code __be16}, as a port: in network byte order in the map, in the machine's in Java; negative above 32767. */
    Codec<Short> NETWORK_SHORT = isBigEndian() ? SHORT : of(Short.BYTES, (from, at) -> Short.reverseBytes(from.getShort(at)),
            (value, to, at) -> to.putShort(at, Short.reverseBytes(value)));

    /**
     * A {@code __be32}, as an IPv4 address: in network byte order in the map, in the machine's in Java; negative from 128.0.0.0
     * on.
     */
    Codec<Integer> NETWORK_INT = isBigEndian() ? INT : of(Integer.BYTES, (from, at) -> Integer.reverseBytes(from.getInt(at)),
            (value, to, at) -> to.putInt(at, Integer.reverseBytes(value)));

    /**
     * The half of a codec that reads; see {@link Codec#read}.
     *
     * @param <T> what it reads
     */
    @FunctionalInterface
    interface Reader<T> {
        /** Reads one from an offset on. */
        T read(ByteBuffer from, int offset);
    }

    /**
     * The half of a codec that writes; see {@link Codec#write}.
     *
     * @param <T> what it writes
     */
    @FunctionalInterface
    interface Writer<T> {
        /** Writes one from an offset on. */
        void write(T value, ByteBuffer to, int offset);
    }

    /** A codec of its two halves, for so many bytes. */
    static <T> Codec<T> of(int size, Reader<T> reader, Writer<T> writer) {
        return new Codec<>() {
            @Override
            public int size() {
                return size;
            }

            @Override
            public T read(ByteBuffer from, int offset) {
                return reader.read(from, offset);
            }

            @Override
            public void write(T value, ByteBuffer to, int offset) {
                writer.write(value, to, offset);
            }
        };
    }

    /** The bytes as they are. Each read makes a new array; a write of an array of another length is refused. */
    static Codec<byte[]> bytes(int size) {
        return of(size, (from, offset) -> {
            byte[] bytes = new byte[size];
            from.get(offset, bytes);
            return bytes;
        }, (bytes, to, offset) -> {
            if (bytes.length != size) {
                throw new IllegalArgumentException(bytes.length + " bytes were given where there are " + size);
            }
            to.put(offset, bytes);
        });
    }

    private static boolean isBigEndian() {
        return ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN;
    }

    /** How many bytes it reads and writes, at least 1. */
    int size();

    /**
     * Reads one, which is never null.
     *
     * @param from read-only; its content is another one after this call, so it must not be kept
     * @param offset of the first byte
     */
    T read(ByteBuffer from, int offset);

    /**
     * Writes one. Its bytes are 0 before, so holes may be left alone.
     *
     * @param offset of the first byte
     * @throws IllegalArgumentException when it does not fit; nothing is sent to the map then
     */
    void write(T value, ByteBuffer to, int offset);
}
