// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.libbpf.NativeBuffer;
import io.flowbypass.maps.BatchDelete;

/** Deletions by blocks, or one after the other. The kernel stops at a key that is not there: that one is passed over. */
final class DeleteWriter<K> extends BlockWriter implements BatchDelete<K> {
    private final EntryForm<K, ?> form;
    private long deleted;

    DeleteWriter(OpenMap map, EntryForm<K, ?> form, int entries, boolean batch) {
        super(map, form.keySize(), 0, entries, batch);
        this.form = form;
    }

    @Override
    public void add(K of) {
        form.writeKey(of, keys, keyOffset(place()));
        used();
    }

    @Override
    boolean sendBlock(int index, NativeBuffer entries) {
        return calls.deleteBatch(keys, keyOffset(index), entries);
    }

    @Override
    boolean sendOne(int index) {
        return calls.delete(keys, keyOffset(index));
    }

    @Override
    void taken(int entries) {
        deleted += entries;
    }

    @Override
    public long deleted() {
        return deleted;
    }
}
