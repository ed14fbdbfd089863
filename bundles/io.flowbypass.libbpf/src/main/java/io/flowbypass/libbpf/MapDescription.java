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
 */
public record MapDescription(int id, int type, String name, int keySize, int valueSize, int maxEntries, int flags) {
}
