// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

/**
 * What the kernel says of a map.
 *
 * @param id the kernel's id
 * @param type its type
 * @param name its name, at most 15 bytes
 * @param keySize bytes of a key; 0 where there are no keys
 * @param valueSize bytes of a value; of a per-CPU map, of one CPU's value
 * @param capacity entries it can hold, {@code max_entries}; of a RINGBUF, bytes
 * @param flags {@code BPF_F_*} flags it was created with
 * @param keyType what C calls the type of its keys, such as {@code struct key}; empty where there is no type information
 *        (BTF), or this process may not read it
 * @param valueType what C calls the type of its values; empty likewise
 */
public record MapInfo(int id, MapType type, String name, int keySize, int valueSize, long capacity, int flags,
        String keyType, String valueType) {
}
