// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.libbpf.NativeBuffer;
import io.flowbypass.maps.Codec;

/**
 * What an entry looks like in memory. The sizes are the map's: a codec was checked against them once, and whatever it says
 * of its size later, no address depends on it.
 *
 * @param keySize bytes of a key
 * @param valueSize bytes of a value as system calls copy it: of a per-CPU map, of all CPUs
 * @param flags 0 or {@code BPF_F_LOCK}
 */
record EntryForm<K, V>(Codec<K> key, int keySize, Codec<V> value, int valueSize, long flags) {
    /** Writes a key; bytes that its codec leaves alone are 0. */
    void writeKey(K of, NativeBuffer to, int offset) {
        to.clear(offset, keySize);
        key.write(of, to.bytes(), offset);
    }

    /** Writes a value; bytes that its codec leaves alone are 0. */
    void writeValue(V of, NativeBuffer to, int offset) {
        to.clear(offset, valueSize);
        value.write(of, to.bytes(), offset);
    }

    /** The same entries, with other flags. */
    EntryForm<K, V> with(long otherFlags) {
        return new EntryForm<>(key, keySize, value, valueSize, otherFlags);
    }
}
