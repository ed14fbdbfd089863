// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

import io.flowbypass.libbpf.BpfException;
import java.nio.ByteBuffer;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Entries that come in blocks, through memory that is used again for the next block:
 *
 * <pre>
 *     Blocks&lt;K, V&gt; blocks = map.lookupBatch(4096);
 *     while (blocks.next()) {
 *         for (int i = 0; i &lt; blocks.size(); i++) {
 *             use(blocks.key(i), blocks.value(i));
 *         }
 *     }
 * </pre>
 *
 * <p>For one thread at a time. A block is never empty and may be smaller or larger than asked for: in a HASH the kernel
 * gives whole buckets.
 */
@ProviderType
public interface Blocks<K, V> {
    /**
     * Reads the next block. What the kernel gave before it failed is given first; the call after that throws.
     *
     * @return false at the end
     * @throws BpfException when the kernel refuses
     */
    boolean next();

    /** Entries in this block, at least 1; 0 before the first and after the last. */
    int size();

    /**
     * The key of an entry of this block.
     *
     * @param index from 0 to {@link #size()} - 1
     * @throws IndexOutOfBoundsException outside of that
     */
    K key(int index);

    /**
     * The value of an entry of this block.
     *
     * @param index from 0 to {@link #size()} - 1
     * @throws IndexOutOfBoundsException outside of that
     */
    V value(int index);

    /**
     * All keys of this block, one after the other, for whoever wants to make no objects; read-only, in the machine's byte
     * order. Until the next call of {@link #next()}.
     */
    ByteBuffer keys();

    /**
     * All values of this block, one after the other; of a per-CPU map, those of all CPUs, each rounded up to 8 bytes.
     * Otherwise as {@link #keys()}.
     */
    ByteBuffer values();

    /** How this is done. */
    Way way();
}
