// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.libbpf.BpfException;
import io.flowbypass.libbpf.NativeBuffer;
import io.flowbypass.maps.Way;

/** A block of keys on their way to the kernel, all at once or one after the other. */
abstract class BlockWriter {
    final MapCalls calls;
    final NativeBuffer keys;
    private final NativeBuffer count = NativeBuffer.allocate(Integer.BYTES);
    private final int keySize;
    private final int room;
    private final boolean batch;
    /** Keys [sent, added) of the block wait. */
    private int sent;
    private int added;
    private boolean refused;
    /** Calls in a row that took nothing, for an error that goes away. */
    private int failures;

    BlockWriter(OpenMap map, int keySize, int valueSize, int entries, boolean batch) {
        this.calls = map.calls();
        this.keySize = keySize;
        this.room = EntryBlocks.room(entries, keySize + valueSize, map.info().capacity());
        this.batch = batch;
        this.keys = NativeBuffer.allocate(room * keySize);
    }

    /**
     * Sends the keys from an index on.
     *
     * @param entries how many; is set to how many the kernel took, also when this throws
     * @return false when the kernel stopped at a key that is to be passed over
     */
    abstract boolean sendBlock(int index, NativeBuffer entries);

    /** Sends the key of an index; false when it is to be passed over. */
    abstract boolean sendOne(int index);

    /** The kernel took some. */
    abstract void taken(int entries);

    /** Entries that fit. */
    final int room() {
        return room;
    }

    /** The index of a free place in the block. */
    final int place() {
        if (added == room) {
            throw new IllegalStateException("the block is full of entries that the kernel refused: flush() tries them again,"
                    + " skip() drops the first");
        }
        return added;
    }

    /** That place is used now. */
    final void used() {
        added++;
        if (added == room) {
            flush();
        }
    }

    final int keyOffset(int index) {
        return index * keySize;
    }

    /** Sends all that waits. */
    public final void flush() {
        refused = true;
        while (sent < added) {
            if (batch) {
                sendBlock();
            } else {
                taken(sendOne(sent) ? 1 : 0);
                sent++;
            }
        }
        refused = false;
        sent = 0;
        added = 0;
    }

    private void sendBlock() {
        boolean passedOver = false;
        count.bytes().putInt(0, added - sent);
        try {
            passedOver = !sendBlock(sent, count);
        } catch (BpfException refusal) {
            if (!refusal.isTransient() || ++failures == BatchBlocks.ATTEMPTS) {
                failures = 0;
                throw refusal;
            }
        } finally {
            int entries = count.bytes().getInt(0);
            failures = entries > 0 || passedOver ? 0 : failures;
            taken(entries);
            sent += entries + (passedOver ? 1 : 0);
        }
    }

    /** Drops the entry that was refused. */
    public final void skip() {
        if (refused) {
            refused = false;
            sent++;
        }
    }

    /** How this is done. */
    public final Way way() {
        return batch ? Way.BATCH : Way.WALK;
    }

    /** Sends all that waits, and drops what is refused. */
    public final void close() {
        try {
            flush();
        } finally {
            sent = 0;
            added = 0;
        }
    }
}
