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
 * <p>The cursor knows the next key before it gives the present one, so its own {@link #delete()}, and any other deletion of
 * the present key once it was given, do not disturb it. Entries that come while it walks may be seen or not. A key whose
 * entry is <em>replaced</em> meanwhile ({@code update} in a HASH) may be missed, because the kernel moves it; a value may
 * be that of another key when entries are deleted and added at a high rate. {@link TypedMap#lookupBatch} knows neither.
 *
 * <p>A walk ends: after eight times as many steps as the map has entries, plus 10 000, with a
 * {@link CursorLostException}. For one thread at a time.
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
}
