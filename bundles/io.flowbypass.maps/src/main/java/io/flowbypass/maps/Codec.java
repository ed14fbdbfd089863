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
 * the codec itself, as {@link #NETWORK_INT} does. For a structure, write one class:
 *
 * <pre>
 *     struct counts { u64 packets; u64 bytes; };        0        8       16
 *                                                       | packets | bytes |
 *
 *     record Counts(long packets, long bytes) {
 *         static final Codec&lt;Counts&gt; CODEC = new Codec&lt;&gt;() {
 *             public int size() { return 16; }
 *             public Counts read(ByteBuffer from, int at) { return new Counts(from.getLong(at), from.getLong(at + 8)); }
 *             public void write(Counts c, ByteBuffer to, int at) { to.putLong(at, c.packets).putLong(at + 8, c.bytes); }
 *         };
 *     }
 * </pre>
 *
 * @param <T> what it turns into bytes
 */
public interface Codec<T> {
    /** A {@code u16} in the machine's byte order. */
    Codec<Short> SHORT = new Codec<>() {
        @Override
        public int size() {
            return Short.BYTES;
        }

        @Override
        public Short read(ByteBuffer from, int offset) {
            return from.getShort(offset);
        }

        @Override
        public void write(Short value, ByteBuffer to, int offset) {
            to.putShort(offset, value);
        }
    };

    /** A {@code u32} in the machine's byte order. */
    Codec<Integer> INT = new Codec<>() {
        @Override
        public int size() {
            return Integer.BYTES;
        }

        @Override
        public Integer read(ByteBuffer from, int offset) {
            return from.getInt(offset);
        }

        @Override
        public void write(Integer value, ByteBuffer to, int offset) {
            to.putInt(offset, value);
        }
    };

    /** A {@code u8}. */
    Codec<Byte> BYTE = new Codec<>() {
        @Override
        public int size() {
            return Byte.BYTES;
        }

        @Override
        public Byte read(ByteBuffer from, int offset) {
            return from.get(offset);
        }

        @Override
        public void write(Byte value, ByteBuffer to, int offset) {
            to.put(offset, value);
        }
    };

    /** A {@code __be16}, as a port: in network byte order in the map, in the machine's in Java; negative above 32767. */
    Codec<Short> NETWORK_SHORT = new Codec<>() {
        @Override
        public int size() {
            return Short.BYTES;
        }

        @Override
        public Short read(ByteBuffer from, int offset) {
            return network(from.getShort(offset));
        }

        @Override
        public void write(Short value, ByteBuffer to, int offset) {
            to.putShort(offset, network(value));
        }

        private short network(short value) {
            return ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? value : Short.reverseBytes(value);
        }
    };

    /**
     * A {@code __be32}, as an IPv4 address: in network byte order in the map, in the machine's in Java; negative from 128.0.0.0
     * on.
     */
    Codec<Integer> NETWORK_INT = new Codec<>() {
        @Override
        public int size() {
            return Integer.BYTES;
        }

        @Override
        public Integer read(ByteBuffer from, int offset) {
            return network(from.getInt(offset));
        }

        @Override
        public void write(Integer value, ByteBuffer to, int offset) {
            to.putInt(offset, network(value));
        }

        private int network(int value) {
            return ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? value : Integer.reverseBytes(value);
        }
    };

    /** A {@code u64} in the machine's byte order. */
    Codec<Long> LONG = new Codec<>() {
        @Override
        public int size() {
            return Long.BYTES;
        }

        @Override
        public Long read(ByteBuffer from, int offset) {
            return from.getLong(offset);
        }

        @Override
        public void write(Long value, ByteBuffer to, int offset) {
            to.putLong(offset, value);
        }
    };

    /** The bytes as they are. Each read makes a new array; a write of an array of another length is refused. */
    static Codec<byte[]> bytes(int size) {
        return new Codec<>() {
            @Override
            public int size() {
                return size;
            }

            @Override
            public byte[] read(ByteBuffer from, int offset) {
                byte[] bytes = new byte[size];
                from.get(offset, bytes);
                return bytes;
            }

            @Override
            public void write(byte[] value, ByteBuffer to, int offset) {
                if (value.length != size) {
                    throw new IllegalArgumentException(value.length + " bytes were given where there are " + size);
                }
                to.put(offset, value);
            }
        };
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
