// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

import io.flowbypass.libbpf.BpfException;
import java.util.Optional;
import java.util.function.BiPredicate;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The entries of a map with keys: of every type but QUEUE, STACK, RINGBUF and ARRAY_OF_MAPS. Thread-safe; what
 * {@link #walk}, {@link #lookupBatch}, {@link #drain}, {@link #updateBatch} and {@link #deleteBatch} give is not.
 *
 * <p>Whatever asks the kernel throws {@link IllegalStateException} once the map is closed, and {@link BpfException} when the
 * kernel refuses; what maps of this type cannot do is an {@link UnsupportedOperationException} with a sentence.
 *
 * <p>A key of an LPM_TRIE is a {@code u32} in the machine's byte order, how many bits of the rest count, and then the rest,
 * as an address in network byte order. A lookup finds the value of the longest prefix; all else is about the very key. A DEVMAP has a
 * place for each index: {@link #delete} says true for an empty one, and conditions are refused, for a DEVMAP_HASH too.
 *
 * <p><b>What the kernel promises while others change the map.</b> {@link #lookupBatch}, {@link #drain} and
 * {@link #lookupAndDelete} read a HASH entry, and {@link #locked()} any value, under a lock: they never see a mix of two
 * values, nor the value of another key. A plain {@link #lookup} copies without one. An update of an ARRAY entry overwrites
 * it in place, and so does every program that writes through a pointer: a lookup can see a mix of both values. An update of
 * a HASH entry replaces it, but the memory of what was replaced or deleted is used again at once: a lookup that the kernel
 * interrupts can, very rarely, see a mix too, or another key's value.
 * Of several threads that delete one key, or add it with {@link Condition#NOEXIST}, exactly one succeeds.
 */
@ProviderType
public interface TypedMap<K, V> {
    /**
     * The value of a key; empty when it is not there, as an index beyond an ARRAY's end. To an LRU map this is no use of the
     * entry.
     */
    Optional<V> lookup(K key);

    /**
     * Sets the value of a key, whether it is there or not ({@code BPF_ANY}).
     *
     * @throws MapFullException when there is no room for another key
     * @throws IndexOutOfBoundsException when the key is an index beyond an ARRAY's end
     */
    void update(K key, V value);

    /**
     * Sets the value of a key under a condition.
     *
     * @return false when the condition is not met, and nothing was changed
     * @throws MapFullException when there is no room for another key
     * @throws IndexOutOfBoundsException when the key is an index beyond an ARRAY's end
     */
    boolean update(K key, V value, Condition condition);

    /** Takes a key out; false when it was not there. */
    boolean delete(K key);

    /**
     * Takes a key out and gives the value that it had last; empty when it was not there. HASH types only.
     *
     * @throws UnsupportedFeatureException before Linux 5.14
     */
    Optional<V> lookupAndDelete(K key);

    /**
     * This map, with each value read and written under its {@code struct bpf_spin_lock} ({@code BPF_F_LOCK}): never a mix of
     * two values, whoever else uses the lock. HASH and ARRAY only, and only where the value has such a lock; where it has
     * none, each reading or writing of a value fails and says so. The lock's own bytes are neither read nor written.
     */
    TypedMap<K, V> locked();

    /** Walks over the entries, one after the other; see {@link Cursor}. For exact reading of many, see {@link #lookupBatch}. */
    Cursor<K, V> walk(LostCursor choice);

    /**
     * Takes out the entries for which a condition holds, and returns how many; reads as {@link #lookupBatch}. The condition is asked about what was read; an
     * entry that changes between that and its deletion is deleted all the same.
     */
    long removeIf(BiPredicate<? super K, ? super V> condition);

    /**
     * Reads all entries in blocks. In HASH types a bucket is read under its lock: an entry that is there all the time is
     * given exactly once, with its own value. Where the kernel has no batches, a walk does it
     * ({@link LostCursor#CONTINUE}).
     *
     * @param blockEntries entries of a block, at least 1; a block has no more than 16 MiB, and grows where a bucket is
     *        larger
     */
    Blocks<K, V> lookupBatch(int blockEntries);

    /**
     * Reads all entries in blocks and takes them out. In HASH types nothing is lost and nothing is given twice: what
     * programs and others add meanwhile is in a block, or is still in the map. Where the kernel has no batches, each entry
     * is looked up and then deleted, and what is added to its value in between is lost.
     *
     * @param blockEntries entries of a block, at least 1; otherwise as in {@link #lookupBatch}
     */
    Blocks<K, V> drain(int blockEntries);

    /** Sets many values in blocks of so many entries, at least 1, and no more than 16 MiB of them. */
    BatchUpdate<K, V> updateBatch(int blockEntries);

    /** Takes many keys out in blocks of so many keys, at least 1, and no more than 16 MiB of them. */
    BatchDelete<K> deleteBatch(int blockEntries);
}
