// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

import java.util.Objects;

/**
 * A map to create. The kernel judges the numbers.
 *
 * @param type its type
 * @param name letters, digits, {@code _} and {@code .}; the kernel keeps 15 bytes
 * @param keySize bytes of a key; 0 for a QUEUE, STACK or RINGBUF
 * @param valueSize bytes of a value; of a per-CPU map, of one CPU's value; 0 for a RINGBUF
 * @param capacity entries it can hold, {@code max_entries}; of a RINGBUF, bytes: a power of two and a multiple of the page size
 * @param flags {@code BPF_F_*} of linux/bpf.h, or'ed; the constants here are those that are needed most
 * @param inner what the maps in an {@link MapType#ARRAY_OF_MAPS} look like; null for all other types
 */
public record MapSpec(MapType type, String name, int keySize, int valueSize, int capacity, int flags, MapSpec inner) {
    /** {@code BPF_F_NO_PREALLOC}: takes memory for an entry when it comes; an LPM_TRIE needs this flag. */
    public static final int NO_PREALLOC = 1;
    /** {@code BPF_F_MMAPABLE}: an ARRAY that can be mapped into memory. */
    public static final int MMAPABLE = 1 << 10;

    /** Checks that there is an inner map where one is needed, and nowhere else. */
    public MapSpec {
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(name, "name");
        if ((inner != null) != (type == MapType.ARRAY_OF_MAPS)) {
            throw new IllegalArgumentException("an ARRAY_OF_MAPS needs an inner map, and only that type has one: " + type);
        }
    }

    /** A map without an inner one. */
    public MapSpec(MapType type, String name, int keySize, int valueSize, int capacity, int flags) {
        this(type, name, keySize, valueSize, capacity, flags, null);
    }
}
