// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

import io.flowbypass.libbpf.BpfException;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Takes many keys out of a map, a block at a time, as {@link BatchUpdate} puts them in. A key that is not there is passed
 * over. For one thread at a time.
 */
@ProviderType
public interface BatchDelete<K> extends AutoCloseable {
    /**
     * Adds a key, and sends the block when it is full.
     *
     * @throws IllegalArgumentException when the codec refuses the key; it is not added then
     * @throws IllegalStateException when the block is full of what the kernel refused before; it is not added then
     * @throws BpfException when the kernel refuses; the keys that were not looked at, this one too, stay in the block
     */
    void add(K key);

    /** Sends what was added and not sent. Errors as {@link #add}. */
    void flush();

    /** Drops the key that the kernel refused last; nothing where there is none. */
    void skip();

    /** Keys that were there and are taken out; also after {@link #close()}. */
    long deleted();

    /** How this is done. */
    Way way();

    /** As {@link #flush()}; where that fails, what was not sent is dropped. Does nothing the second time. */
    @Override
    void close();
}
