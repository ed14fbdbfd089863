// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.libbpf.BpfException;
import io.flowbypass.libbpf.NativeBuffer;
import io.flowbypass.maps.Way;

/** Blocks by the kernel's batches. */
final class BatchBlocks<K, V> extends EntryBlocks<K, V> {
    /** The kernel keeps a bucket's number there, or a key. */
    private static final int LEAST_CURSOR = 8;
    /** Of a call that fails with an error that goes away. */
    static final int ATTEMPTS = 16;

    private final MapCalls calls;
    private final boolean drain;
    private final NativeBuffer cursor;
    private final NativeBuffer count = NativeBuffer.allocate(Integer.BYTES);
    private boolean started;
    private boolean ended;
    private BpfException failure;

    BatchBlocks(OpenMap map, EntryForm<K, V> form, int entries, boolean drain) {
        super(map, form, entries);
        this.calls = map.calls();
        this.drain = drain;
        this.cursor = NativeBuffer.allocate(Math.max(form.keySize(), LEAST_CURSOR));
    }

    @Override
    public boolean next() {
        size = 0;
        int failures = 0;
        while (failure == null && !ended && size == 0) {
            count.bytes().putInt(0, room());
            try {
                ended = !calls.lookupBatch(drain, started, cursor, keys, values, count, form.flags());
            } catch (BpfException refused) {
                // A refused block may hold entries all the same, which a drain has taken out of the map.
                if (count.bytes().getInt(0) == 0 && refused.is("ENOSPC") && canGrow()) {
                    grow();
                } else if (!refused.isTransient() || ++failures == ATTEMPTS) {
                    failure = refused;
                }
            }
            size = count.bytes().getInt(0);
            // Only then the kernel has surely left a cursor.
            started |= size > 0;
        }
        if (size > 0) {
            return true;
        }
        if (failure != null) {
            throw failure;
        }
        return false;
    }

    @Override
    public Way way() {
        return Way.BATCH;
    }
}
