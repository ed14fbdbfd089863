// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.maps.BatchDelete;
import io.flowbypass.maps.BatchUpdate;
import io.flowbypass.maps.Blocks;
import io.flowbypass.maps.Condition;
import io.flowbypass.maps.Cursor;
import io.flowbypass.maps.LostCursor;
import io.flowbypass.maps.MapInfo;
import io.flowbypass.maps.TypedMap;
import io.flowbypass.maps.UnsupportedFeatureException;
import java.util.Optional;
import java.util.function.BiPredicate;

/** The entries of a map through two codecs. */
final class KeyedMap<K, V> implements TypedMap<K, V> {
    /** Some 100 KiB for usual keys and values. */
    private static final int BLOCK_ENTRIES = 4096;

    private final OpenMap map;
    private final MapInfo info;
    private final MapCalls calls;
    private final EntryForm<K, V> form;
    private final Scratch.Pool pool;

    KeyedMap(OpenMap map, EntryForm<K, V> form) {
        this.map = map;
        this.info = map.info();
        this.calls = map.calls();
        this.form = form;
        this.pool = new Scratch.Pool(form.keySize(), form.valueSize());
    }

    @Override
    public Optional<V> lookup(K of) {
        Scratch scratch = pool.take();
        try {
            form.writeKey(of, scratch.key, 0);
            return calls.lookup(scratch.key, 0, scratch.value, 0, form.flags())
                    ? Optional.of(form.value().read(scratch.readable, 0)) : Optional.empty();
        } finally {
            pool.give(scratch);
        }
    }

    @Override
    public void update(K of, V to) {
        update(of, to, Bpf.ANY);
    }

    @Override
    public boolean update(K of, V to, Condition condition) {
        if (!TypeRules.keepsConditions(info.type())) {
            throw map.cannot("be updated under a condition: its kind does not keep to it");
        }
        return update(of, to, condition == Condition.NOEXIST ? Bpf.NOEXIST : Bpf.EXIST);
    }

    private boolean update(K of, V to, long condition) {
        Scratch scratch = pool.take();
        try {
            form.writeKey(of, scratch.key, 0);
            form.writeValue(to, scratch.value, 0);
            return calls.update(scratch.key, 0, scratch.value, 0, condition | form.flags());
        } finally {
            pool.give(scratch);
        }
    }

    @Override
    public boolean delete(K of) {
        map.requireDelete();
        Scratch scratch = pool.take();
        try {
            form.writeKey(of, scratch.key, 0);
            return calls.delete(scratch.key, 0);
        } finally {
            pool.give(scratch);
        }
    }

    @Override
    public Optional<V> lookupAndDelete(K of) {
        if (!TypeRules.canLookupAndDelete(info.type())) {
            throw map.cannot("look an entry up and delete it in one step; HASH types can");
        }
        if (!map.features().canLookupAndDelete(info.type())) {
            throw new UnsupportedFeatureException("lookup-and-delete on a " + info.type(), "5.14");
        }
        Scratch scratch = pool.take();
        try {
            form.writeKey(of, scratch.key, 0);
            return calls.lookupAndDelete(scratch.key, 0, scratch.value, 0, form.flags())
                    ? Optional.of(form.value().read(scratch.readable, 0)) : Optional.empty();
        } finally {
            pool.give(scratch);
        }
    }

    @Override
    public TypedMap<K, V> locked() {
        if (!TypeRules.canLock(info.type())) {
            throw map.cannot("have a bpf_spin_lock in its values; a HASH or an ARRAY can");
        }
        return new KeyedMap<>(map, form.with(Bpf.F_LOCK));
    }

    @Override
    public Cursor<K, V> walk(LostCursor choice) {
        return hasExactBatches() ? new BatchCursor<>(map, form, choice)
                : new WalkCursor<>(map, form, choice);
    }

    @Override
    public long removeIf(BiPredicate<? super K, ? super V> condition) {
        map.requireDelete();
        long removed = 0;
        EntryBlocks<K, V> blocks = blocks(BLOCK_ENTRIES, false);
        while (blocks.next()) {
            for (int i = 0; i < blocks.size(); i++) {
                if (condition.test(blocks.key(i), blocks.value(i)) && calls.delete(blocks.keys, i * form.keySize())) {
                    removed++;
                }
            }
        }
        return removed;
    }

    @Override
    public Blocks<K, V> lookupBatch(int blockEntries) {
        return blocks(blockEntries, false);
    }

    @Override
    public Blocks<K, V> drain(int blockEntries) {
        map.requireDelete();
        return blocks(blockEntries, true);
    }

    private EntryBlocks<K, V> blocks(int entries, boolean drain) {
        return hasExactBatches() ? new BatchBlocks<>(map, form, entries, drain)
                : new WalkBlocks<>(map, form, entries, drain);
    }

    private boolean hasExactBatches() {
        return TypeRules.hasExactBatches(info.type()) && map.features().hasBatches(info.type());
    }

    @Override
    public BatchUpdate<K, V> updateBatch(int blockEntries) {
        return new UpdateWriter<>(map, form, blockEntries,
                TypeRules.hasUpdateBatches(info.type()) && map.features().hasBatches(info.type()));
    }

    @Override
    public BatchDelete<K> deleteBatch(int blockEntries) {
        map.requireDelete();
        return new DeleteWriter<>(map, form, blockEntries,
                TypeRules.hasDeleteBatches(info.type()) && map.features().hasBatches(info.type()));
    }
}
