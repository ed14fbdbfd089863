// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.libbpf.NativeBuffer;
import io.flowbypass.maps.BatchUpdate;

/** Updates by blocks, or one after the other. */
final class UpdateWriter<K, V> extends BlockWriter implements BatchUpdate<K, V> {
    private final EntryForm<K, V> form;
    private final NativeBuffer values;
    private long written;

    UpdateWriter(OpenMap map, EntryForm<K, V> form, int entries, boolean batch) {
        super(map, form.keySize(), form.valueSize(), entries, batch);
        this.form = form;
        this.values = NativeBuffer.allocate(room() * form.valueSize());
    }

    @Override
    public void add(K of, V to) {
        int place = place();
        form.writeKey(of, keys, keyOffset(place));
        form.writeValue(to, values, place * form.valueSize());
        used();
    }

    @Override
    boolean sendBlock(int index, NativeBuffer entries) {
        calls.updateBatch(keys, keyOffset(index), values, index * form.valueSize(), entries, form.flags());
        return true;
    }

    @Override
    boolean sendOne(int index) {
        return calls.update(keys, keyOffset(index), values, index * form.valueSize(), form.flags());
    }

    @Override
    void taken(int entries) {
        written += entries;
    }

    @Override
    public long written() {
        return written;
    }
}
