// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.libbpf;

/**
 * A map as the kernel, or an object file, describes it.
 *
 * @param id the kernel's id; 0 for a map of an object file
 * @param type number of {@code enum bpf_map_type}
 * @param name its name
 * @param keySize bytes of a key
 * @param valueSize bytes of a value
 * @param maxEntries entries it can hold
 * @param flags {@code BPF_F_*}
 * @param keyType what C calls the type of its keys, such as {@code struct key}, by its BTF; empty where there is none
 * @param valueType what C calls the type of its values; empty where there is no BTF
 */
public record MapDescription(int id, int type, String name, int keySize, int valueSize, int maxEntries, int flags,
        String keyType, String valueType) {
    /** A map without type information. */
    public MapDescription(int id, int type, String name, int keySize, int valueSize, int maxEntries, int flags) {
        this(id, type, name, keySize, valueSize, maxEntries, flags, "", "");
    }
}
