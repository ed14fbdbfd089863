// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.libbpf.NativeBuffer;
import io.flowbypass.maps.Blocks;
import io.flowbypass.maps.MapInfo;
import java.nio.ByteBuffer;
import java.util.Objects;

/** The memory of a block. */
abstract class EntryBlocks<K, V> implements Blocks<K, V> {
    private static final int MOST_BYTES = 16 << 20;

    private final MapInfo info;
    final EntryForm<K, V> form;
    NativeBuffer keys;
    NativeBuffer values;
    int size;
    private ByteBuffer readableKeys;
    private ByteBuffer readableValues;
    private int room;

    EntryBlocks(OpenMap map, EntryForm<K, V> form, int entries) {
        this.info = map.info();
        this.form = form;
        allocate(room(entries, form.keySize() + form.valueSize(), info.capacity()));
    }

    /**
     * How many entries a block has where so many are asked for: no more than the map, and no more than 16 MiB of them.
     *
     * @throws IllegalArgumentException when less than one is asked for
     */
    static int room(int asked, int entrySize, long capacity) {
        if (asked < 1) {
            throw new IllegalArgumentException("a block of " + asked + " entries was asked for: it has at least one");
        }
        return (int) Math.max(1, Math.min(Math.min(asked, capacity), MOST_BYTES / entrySize));
    }

    private void allocate(int entries) {
        keys = NativeBuffer.allocate(Math.multiplyExact(entries, form.keySize()));
        values = NativeBuffer.allocate(Math.multiplyExact(entries, form.valueSize()));
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
        return room < 2 * info.capacity();
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
