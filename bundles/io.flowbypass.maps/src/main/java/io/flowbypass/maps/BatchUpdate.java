// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

import io.flowbypass.libbpf.BpfException;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Sets the values of many keys, a block at a time:
 *
 * <pre>
 *     try (BatchUpdate&lt;K, V&gt; update = map.updateBatch(4096)) {
 *         for (...) {
 *             update.add(key, value);
 *         }
 *     }
 * </pre>
 *
 * <p>For one thread at a time. An entry that the kernel refused, and those behind it, stay in the block: {@link #flush()}
 * tries them again, {@link #skip()} drops the first.
 */
@ProviderType
public interface BatchUpdate<K, V> extends AutoCloseable {
    /**
     * Adds an entry, and sends the block when it is full. A key that is there gets this value.
     *
     * @throws IllegalArgumentException when the codec refuses the key or the value; it is not added then
     * @throws IllegalStateException when the block is full of what the kernel refused before; it is not added then
     * @throws MapFullException when the map is full; {@link #written()} says how far this came. It is in the block
     * @throws BpfException when the kernel refuses for another reason. It is in the block
     */
    void add(K key, V value);

    /** Sends what was added and not sent. Errors as {@link #add}. */
    void flush();

    /** Drops the entry that the kernel refused last; nothing where there is none. */
    void skip();

    /** Entries that the map has taken so far; also after {@link #close()}. */
    long written();

    /** How this is done. */
    Way way();

    /** As {@link #flush()}; where that fails, what was not sent is dropped. Does nothing the second time. */
    @Override
    void close();
}
