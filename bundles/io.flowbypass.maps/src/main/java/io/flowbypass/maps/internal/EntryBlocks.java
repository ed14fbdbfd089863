// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.libbpf.NativeBuffer;
import io.flowbypass.maps.Blocks;
import io.flowbypass.maps.MapInfo;
import java.nio.ByteBuffer;
import java.util.Objects;

/** The memory of a block. */
abstract class EntryBlocks<K, V> implements Blocks<K, V> {
    private final MapInfo info;
    final EntryForm<K, V> form;
    NativeBuffer keys;
    NativeBuffer values;
    int size;
    private ByteBuffer readableKeys;
    private ByteBuffer readableValues;
    private int room;

    EntryBlocks(OpenMap map, EntryForm<K, V> form, int entries) {
        this.info = map.description();
        this.form = form;
        allocate(entries);
    }

    /** Room for a block of entries of so many bytes. */
    static NativeBuffer room(int entries, int bytes) {
        if (entries < 1 || (long) entries * bytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("a block of " + entries + " entries is not possible: at least one entry, and"
                    + " at most 2 GiB, which are " + Integer.MAX_VALUE / bytes + " entries here");
        }
        return NativeBuffer.allocate(entries * bytes);
    }

    private void allocate(int entries) {
        keys = room(entries, form.keySize());
        values = room(entries, form.valueSize());
        readableKeys = Scratch.readable(keys);
        readableValues = Scratch.readable(values);
        room = entries;
    }

    /** Entries that fit. */
    final int room() {
        return room;
    }

    /** No bucket has more entries than the map and the spare ones that the kernel keeps for each CPU. */
    final boolean canGrow() {
        return room < 2L * Integer.toUnsignedLong(info.capacity());
    }

    final void grow() {
        allocate(Math.multiplyExact(2, room));
    }

    @Override
    public final int size() {
        return size;
    }

    @Override
    public final K key(int index) {
        return form.key().read(readableKeys, Objects.checkIndex(index, size) * form.keySize());
    }

    @Override
    public final V value(int index) {
        return form.value().read(readableValues, Objects.checkIndex(index, size) * form.valueSize());
    }

    @Override
    public final ByteBuffer keys() {
        return part(readableKeys, form.keySize());
    }

    @Override
    public final ByteBuffer values() {
        return part(readableValues, form.valueSize());
    }

    private ByteBuffer part(ByteBuffer whole, int bytes) {
        return whole.slice(0, size * bytes).order(whole.order());
    }
}
