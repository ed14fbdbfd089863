// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.libbpf.NativeBuffer;
import io.flowbypass.maps.Cursor;
import io.flowbypass.maps.CursorLostException;
import java.nio.ByteBuffer;

/** The entry on which a cursor stands. */
abstract class EntryCursor<K, V> implements Cursor<K, V> {
    final OpenMap map;
    final MapCalls calls;
    final EntryForm<K, V> form;
    final NativeBuffer values;
    private final ByteBuffer readableValues;
    private NativeBuffer keys;
    private ByteBuffer readableKeys;
    private int keyOffset = -1;

    EntryCursor(OpenMap map, EntryForm<K, V> form) {
        this.map = map;
        this.calls = map.calls();
        this.form = form;
        this.values = NativeBuffer.allocate(form.valueSize());
        this.readableValues = Scratch.readable(values);
    }

    /** Stands on the entry of this key, whose value was read. */
    final void standOn(NativeBuffer in, int offset) {
        if (in != keys) {
            keys = in;
            readableKeys = Scratch.readable(in);
        }
        keyOffset = offset;
    }

    final void standNowhere() {
        keyOffset = -1;
    }

    /** The memory of the present key, which begins at {@link #keyOffset()}. */
    final NativeBuffer keys() {
        return keys;
    }

    final int keyOffset() {
        if (keyOffset < 0) {
            throw new IllegalStateException("the cursor stands on no entry: next() comes first, and has to be true");
        }
        return keyOffset;
    }

    @Override
    public final K key() {
        return form.key().read(readableKeys, keyOffset());
    }

    @Override
    public final V value() {
        keyOffset();
        return form.value().read(readableValues, 0);
    }

    @Override
    public final boolean delete() {
        map.requireDelete();
        return calls.delete(keys, keyOffset());
    }

    final CursorLostException lost() {
        return new CursorLostException("somebody else deleted the key of the map " + map.info().name()
                + " that the walk came to: choose RETRY_FROM_PREVIOUS or CONTINUE to go on");
    }
}
