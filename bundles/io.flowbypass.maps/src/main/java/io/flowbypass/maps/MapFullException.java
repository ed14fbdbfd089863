// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

import io.flowbypass.libbpf.BpfException;

/** A map has no room for another entry. */
public final class MapFullException extends BpfException {
    private static final long serialVersionUID = 1L;

    /**
     * For a refused update.
     *
     * @param error what the kernel said: E2BIG, or ENOSPC of an LPM_TRIE
     */
    public MapFullException(String operation, String error, MapInfo map) {
        super(operation, error, "the map " + map.name() + " is full: all of its " + map.capacity()
                + " entries are taken; delete some, or create it with a larger capacity");
    }
}
