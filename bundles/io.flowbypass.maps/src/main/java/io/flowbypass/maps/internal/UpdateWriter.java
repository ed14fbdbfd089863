// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.libbpf.NativeBuffer;
import io.flowbypass.maps.BatchUpdate;
import io.flowbypass.maps.Codec;
import io.flowbypass.maps.Way;

/** Updates by blocks, or one after the other. */
final class UpdateWriter<K, V> implements BatchUpdate<K, V> {
    private final MapCalls calls;
    private final Codec<K> key;
    private final Codec<V> value;
    private final long flags;
    private final int room;
    private final boolean batch;
    private final NativeBuffer keys;
    private final NativeBuffer values;
    private final NativeBuffer count = NativeBuffer.allocate(Integer.BYTES);
    /** Entries [sent, added) of the block wait. */
    private int sent;
    private int added;
    private long written;

    UpdateWriter(OpenMap map, Codec<K> key, Codec<V> value, long flags, int entries, boolean batch) {
        this.calls = map.calls();
        this.key = key;
        this.value = value;
        this.flags = flags;
        this.room = entries;
        this.batch = batch;
        this.keys = EntryBlocks.room(entries, key.size());
        this.values = EntryBlocks.room(entries, value.size());
    }

    @Override
    public void add(K of, V to) {
        if (added == room) {
            flush();
        }
        key.write(of, keys.bytes(), added * key.size());
        value.write(to, values.bytes(), added * value.size());
        added++;
        if (added == room) {
            flush();
        }
    }

    @Override
    public void flush() {
        while (sent < added) {
            int keyOffset = sent * key.size();
            int valueOffset = sent * value.size();
            if (batch) {
                count.bytes().putInt(0, added - sent);
                try {
                    calls.updateBatch(keys, keyOffset, values, valueOffset, count, flags);
                } finally {
                    advance(count.bytes().getInt(0));
                }
            } else {
                calls.update(keys, keyOffset, values, valueOffset, flags);
                advance(1);
            }
        }
        sent = 0;
        added = 0;
    }

    private void advance(int entries) {
        sent += entries;
        written += entries;
    }

    @Override
    public long written() {
        return written;
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
