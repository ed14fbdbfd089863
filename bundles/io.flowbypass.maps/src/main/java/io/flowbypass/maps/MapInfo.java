// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

/**
 * What the kernel says of a map.
 *
 * @param id the kernel's id
 * @param type its type
 * @param name its name, at most 15 bytes
 * @param keySize bytes of a key
 * @param valueSize bytes of a value; of a per-CPU map, of one CPU's value
 * @param capacity entries it can hold
 * @param flags {@code BPF_F_*} flags it was created with
 */
public record MapInfo(int id, MapType type, String name, int keySize, int valueSize, int capacity, int flags) {
}
