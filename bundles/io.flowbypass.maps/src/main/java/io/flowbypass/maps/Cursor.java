// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

import io.flowbypass.libbpf.BpfException;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A walk over a map by its keys, one entry after the other:
 *
 * <pre>
 *     Cursor&lt;K, V&gt; cursor = map.walk(LostCursor.CONTINUE);
 *     while (cursor.next()) {
 *         if (cursor.value() ...) {
 *             cursor.delete();
 *         }
 *     }
 * </pre>
 *
 * <p>The cursor's own {@link #delete()}, and any other deletion of a key that it has given, do not disturb it. Entries that
 * come while it walks may be seen or not. Values are looked up when the cursor comes to them, see {@link TypedMap} for what
 * that promises.
 *
 * <p>Where the kernel has batches for maps of the type ({@link Way#BATCH}), the keys come in blocks, read ahead: a key that
 * is there all the time is given exactly once, whatever others do; {@link LostCursor} says what becomes of one that was
 * deleted since. Elsewhere ({@link Way#WALK}) the kernel is asked for the
 * key after a key, the next one before the present one is given. Then {@link LostCursor} also decides what others can do to
 * the walk; a key whose entry is <em>replaced</em> meanwhile may be missed, because the kernel may move it; and the walk ends
 * with a {@link CursorLostException} after eight times as many steps as the map can hold entries, plus 10 000.
 *
 * <p>For one thread at a time.
 */
@ProviderType
public interface Cursor<K, V> {
    /**
     * Moves to the next entry.
     *
     * @return false at the end
     * @throws CursorLostException see {@link LostCursor#FAIL}, and above
     * @throws BpfException when the kernel refuses
     */
    boolean next();

    /**
     * The key of the present entry.
     *
     * @throws IllegalStateException before the first and after the last
     */
    K key();

    /** Its value when {@link #next()} was called; IllegalStateException before the first and after the last. */
    V value();

    /**
     * Takes the present entry out of the map.
     *
     * @return false when it is not there any more
     * @throws IllegalStateException before the first and after the last
     * @throws UnsupportedOperationException when entries of this type of map cannot be deleted
     */
    boolean delete();

    /** How this is done. */
    Way way();
}
