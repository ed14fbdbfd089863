// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.libbpf.NativeBuffer;
import io.flowbypass.maps.BatchDelete;
import io.flowbypass.maps.Codec;
import io.flowbypass.maps.Way;

/** Deletions by blocks, or one after the other. */
final class DeleteWriter<K> implements BatchDelete<K> {
    private final MapCalls calls;
    private final Codec<K> key;
    private final int room;
    private final boolean batch;
    private final NativeBuffer keys;
    private final NativeBuffer count = NativeBuffer.allocate(Integer.BYTES);
    /** Keys [sent, added) of the block wait. */
    private int sent;
    private int added;
    private long deleted;

    DeleteWriter(OpenMap map, Codec<K> key, int entries, boolean batch) {
        this.calls = map.calls();
        this.key = key;
        this.room = entries;
        this.batch = batch;
        this.keys = EntryBlocks.room(entries, key.size());
    }

    @Override
    public void add(K of) {
        if (added == room) {
            flush();
        }
        key.write(of, keys.bytes(), added * key.size());
        added++;
        if (added == room) {
            flush();
        }
    }

    @Override
    public void flush() {
        while (sent < added) {
            int keyOffset = sent * key.size();
            if (batch) {
                deleteBlock(keyOffset);
            } else {
                deleted += calls.delete(keys, keyOffset) ? 1 : 0;
                sent++;
            }
        }
        sent = 0;
        added = 0;
    }

    /** The kernel stops at a key that is not there: the next call begins behind it. */
    private void deleteBlock(int keyOffset) {
        boolean passedOver = false;
        count.bytes().putInt(0, added - sent);
        try {
            passedOver = !calls.deleteBatch(keys, keyOffset, count);
        } finally {
            int gone = count.bytes().getInt(0);
            deleted += gone;
            sent += gone + (passedOver ? 1 : 0);
        }
    }

    @Override
    public long deleted() {
        return deleted;
    }

    @Override
    public Way way() {
        return batch ? Way.BATCH : Way.WALK;
    }

    @Override
    public void close() {
        try {
            flush();
        } finally {
            sent = 0;
            added = 0;
        }
    }
}
