// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.maps.LostCursor;
import io.flowbypass.maps.Way;

/**
 * A walk whose keys come in blocks, each bucket of the map read under its lock: the place in the map is a bucket's number,
 * which nobody can delete. So a key that is there all the time is given exactly once, whatever was chosen. The value of
 * each key is looked up when the walk comes to it; a key that is gone then has been deleted since.
 */
final class BatchCursor<K, V> extends EntryCursor<K, V> {
    private static final int BLOCK_ENTRIES = 512;

    private final BatchBlocks<K, V> blocks;
    private final boolean fails;
    private int index;

    BatchCursor(OpenMap map, EntryForm<K, V> form, LostCursor choice) {
        super(map, form);
        this.fails = choice == LostCursor.FAIL;
        this.blocks = new BatchBlocks<>(map, form, BLOCK_ENTRIES, false);
    }

    @Override
    public boolean next() {
        standNowhere();
        while (index < blocks.size() || nextBlock()) {
            int offset = index++ * form.keySize();
            if (calls.lookup(blocks.keys, offset, values, 0, form.flags())) {
                standOn(blocks.keys, offset);
                return true;
            }
            if (fails) {
                throw lost();
            }
        }
        return false;
    }

    private boolean nextBlock() {
        index = 0;
        return blocks.next();
    }

    @Override
    public Way way() {
        return Way.BATCH;
    }
}
