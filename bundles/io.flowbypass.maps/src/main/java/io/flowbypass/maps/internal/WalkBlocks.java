// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.maps.LostCursor;
import io.flowbypass.maps.Way;

/** Blocks by a walk, for kernels and types without batches. */
final class WalkBlocks<K, V> extends EntryBlocks<K, V> {
    private final WalkCursor<K, V> cursor;
    private final boolean drain;
    private RuntimeException failure;

    WalkBlocks(OpenMap map, EntryForm<K, V> form, int entries, boolean drain) {
        super(map, form, entries);
        this.cursor = new WalkCursor<>(map, form, LostCursor.CONTINUE);
        this.drain = drain;
    }

    @Override
    public boolean next() {
        size = 0;
        try {
            while (failure == null && size < room() && cursor.next()) {
                // Who deletes it first has it.
                if (!drain || cursor.delete()) {
                    keys.bytes().put(size * form.keySize(), cursor.keys().bytes(), cursor.keyOffset(), form.keySize());
                    values.bytes().put(size * form.valueSize(), cursor.values.bytes(), 0, form.valueSize());
                    size++;
                }
            }
        } catch (RuntimeException refused) {
            failure = refused;
        }
        if (size == 0 && failure != null) {
            throw failure;
        }
        return size > 0;
    }

    @Override
    public Way way() {
        return Way.WALK;
    }
}
