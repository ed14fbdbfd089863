// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.classic.internal;

import io.flowbypass.classic.ClassicTableState;
import io.flowbypass.maps.Blocks;
import io.flowbypass.maps.TypedMap;
import io.flowbypass.xdp.ClassicTable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** One pass over the entries of all tables, block by block. For one thread at a time. */
final class Walk {
    /** Entries read by one system call. */
    private static final int BLOCK_ENTRIES = 4096;

    private final List<ClassicTable> tables;
    private final Map<Integer, Memory> memories;
    private final int cpus;
    private final long begun;
    private final Map<Integer, Memory> seen = new HashMap<>();
    private final List<ClassicTableState> states = new ArrayList<>();
    private int next;
    private ClassicTable table;
    private Dialect dialect;
    private TypedMap<byte[], ?> entries;
    private Blocks<byte[], ?> blocks;
    private EntryView view;
    private Memory memory;
    private int count;
    private long packets;

    /**
     * Over these tables.
     *
     * @param memories what the pass before saw, by the maps' ids
     */
    Walk(List<ClassicTable> tables, Map<Integer, Memory> memories, int cpus, long nowNanos) {
        this.tables = tables;
        this.memories = memories;
        this.cpus = cpus;
        this.begun = nowNanos;
    }

    /** Whether it can go on with the tables that there are now. */
    boolean isOf(List<ClassicTable> now) {
        return tables.equals(now);
    }

    /** Reads the next block, of this table or the next one; false at the end of all. */
    boolean next() {
        while (blocks == null || !blocks.next()) {
            if (blocks != null) {
                finish();
            }
            if (next == tables.size()) {
                return false;
            }
            open(tables.get(next++));
        }
        return true;
    }

    private void open(ClassicTable opened) {
        table = opened;
        dialect = Dialect.of(table, cpus);
        entries = dialect.entries(table.map());
        blocks = entries.lookupBatch(BLOCK_ENTRIES);
        memory = memories.getOrDefault(table.map().info().id(), new Memory());
        view = new EntryView(dialect, memory);
        count = 0;
        packets = 0;
    }

    private void finish() {
        int id = table.map().info().id();
        seen.put(id, memory.next(begun));
        states.add(new ClassicTableState(table.dialect(), table.pin(), id, table.made(), count,
                table.map().info().capacity(), packets));
        blocks = null;
    }

    /** Entries in this block. */
    int size() {
        return blocks.size();
    }

    /** Shows one of them. */
    EntryView show(int index, long nowNanos, boolean paused) {
        view.show(blocks.keys(), index * dialect.keySize(), blocks.values(), index * dialect.valueSize(), nowNanos, paused);
        count++;
        packets += view.counts().allPackets();
        return view;
    }

    byte[] key(int index) {
        return blocks.key(index);
    }

    ClassicTable table() {
        return table;
    }

    Dialect dialect() {
        return dialect;
    }

    TypedMap<byte[], ?> entries() {
        return entries;
    }

    /** At the end: the tables. */
    List<ClassicTableState> states() {
        return List.copyOf(states);
    }

    /** At the end: what the next pass has to know. */
    Map<Integer, Memory> memories() {
        return Map.copyOf(seen);
    }
}
