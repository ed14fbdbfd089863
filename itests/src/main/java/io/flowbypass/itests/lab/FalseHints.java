// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowTable;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Cells that lead packets of one flow to the slot of another one, as if their keys had the same hash. Where a key's cells
 * are is learned from the table itself: from what a bypass of it changes in the index. For one thread, while no other one
 * bypasses.
 */
public final class FalseHints implements AutoCloseable {
    private static final long TAG = 0xffffffff00000000L;
    private static final int WORD = Long.BYTES;
    /** The last word of a bucket is no cell. */
    private static final int BUCKET_BYTES = 64;
    private static final int NO_CELL = 56;

    private final FlowTable table;
    private final List<Cell> planted = new ArrayList<>();

    /** A cell and its place. */
    public record Cell(int at, long value) {
    }

    /** Of this table. */
    public FalseHints(FlowTable table) {
        this.table = table;
    }

    /** Bypasses a flow; returns its cell. */
    public Cell bypass(FlowKey key) {
        List<Long> before = index();
        if (!table.bypass(BypassRequest.of(key))) {
            throw new IllegalStateException(key + " is bypassed already");
        }
        List<Long> after = index();
        for (int word = 0; word < after.size(); word++) {
            if (word * WORD % BUCKET_BYTES != NO_CELL && !after.get(word).equals(before.get(word))) {
                return new Cell(word * WORD, after.get(word));
            }
        }
        throw new IllegalStateException("no cell was made for " + key);
    }

    /** Leads a flow that is not bypassed to the slot of one that is. */
    public void plant(FlowKey other, Cell of) throws InterruptedException, ExecutionException, TimeoutException {
        Cell own = bypass(other);
        table.release(other).get(10, TimeUnit.SECONDS);
        Cell hint = new Cell(own.at, own.value & TAG | of.value & ~TAG);
        Memory.of("index", index -> {
            if (!index.compareAndSetLong(hint.at, 0, hint.value)) {
                throw new IllegalStateException("the cell of a released flow is not empty");
            }
        });
        planted.add(hint);
    }

    private static List<Long> index() {
        List<Long> words = new ArrayList<>();
        Memory.of("index", index -> {
            for (int at = 0; at < index.size(); at += WORD) {
                words.add(index.getLongVolatile(at));
            }
        });
        return words;
    }

    @Override
    public void close() {
        Memory.of("index", index -> planted.forEach(hint -> index.compareAndSetLong(hint.at, hint.value, 0)));
    }
}
