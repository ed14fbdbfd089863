// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

/**
 * What a walk does when somebody else deleted the key that it comes to. A walk by keys stands on that key then, and the
 * kernel answers it with the first key of the map, as if nothing had happened; a {@link Cursor} notices it.
 *
 * <p>With {@link Way#BATCH} no walk can lose its place, and nothing is remembered: FAIL still ends a walk when a key that was
 * read ahead has been deleted, the other two pass it over.
 */
public enum LostCursor {
    /** The walk ends with a {@link CursorLostException}. */
    FAIL,
    /**
     * The walk goes on from the last key it gave that is still there. A key that is there all the time is seen at least
     * once; it can be seen again. Remembers the last 254 keys; where none of them is left, it begins anew.
     */
    RETRY_FROM_PREVIOUS,
    /**
     * As {@link #RETRY_FROM_PREVIOUS}, and no key is given twice: one that is there all the time is seen exactly once.
     * Remembers every key it gave, which takes up to three times their size and 24 bytes for each.
     */
    CONTINUE
}
