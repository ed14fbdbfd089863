// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.BpfException;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.libbpf.NativeBuffer;
import io.flowbypass.maps.MapFullException;
import io.flowbypass.maps.MapInfo;
import io.flowbypass.maps.MapOperation;
import io.flowbypass.maps.MapType;

/** The system calls on one map: counted, on a descriptor that stays open meanwhile, and with errors that say what to do. */
class MapCalls {
    /** {@code BPF_F_RDONLY}. */
    private static final int READ_ONLY = 1 << 3;

    private final Descriptor descriptor;
    private final MapInfo info;
    private final Calls calls;

    MapCalls(Descriptor descriptor, MapInfo info, Calls calls) {
        this.descriptor = descriptor;
        this.info = info;
        this.calls = calls;
    }

    boolean lookup(NativeBuffer key, int keyOffset, NativeBuffer value, int valueOffset, long flags) {
        int map = begin(MapOperation.LOOKUP);
        try {
            return Bpf.lookup(map, key, keyOffset, value, valueOffset, flags);
        } catch (BpfException refused) {
            throw failed(MapOperation.LOOKUP, map, refused, flags);
        } finally {
            end();
        }
    }

    /** False when the condition of the flags is not met. */
    boolean update(NativeBuffer key, int keyOffset, NativeBuffer value, int valueOffset, long flags) {
        int map = begin(MapOperation.UPDATE);
        try {
            Bpf.update(map, key, keyOffset, value, valueOffset, flags);
            return true;
        } catch (BpfException refused) {
            if ((flags & Bpf.NOEXIST) != 0 && refused.is("EEXIST") || (flags & Bpf.EXIST) != 0 && refused.is("ENOENT")) {
                return false;
            }
            throw failed(MapOperation.UPDATE, map, refused, flags);
        } finally {
            end();
        }
    }

    boolean delete(NativeBuffer key, int keyOffset) {
        int map = begin(MapOperation.DELETE);
        try {
            return Bpf.delete(map, key, keyOffset);
        } catch (BpfException refused) {
            throw failed(MapOperation.DELETE, map, refused, 0);
        } finally {
            end();
        }
    }

    boolean lookupAndDelete(NativeBuffer key, int keyOffset, NativeBuffer value, int valueOffset, long flags) {
        int map = begin(MapOperation.LOOKUP_AND_DELETE);
        try {
            return Bpf.lookupAndDelete(map, key, keyOffset, value, valueOffset, flags);
        } catch (BpfException refused) {
            throw failed(MapOperation.LOOKUP_AND_DELETE, map, refused, flags);
        } finally {
            end();
        }
    }

    /** False at the end; a null key stands for the place before the first. */
    boolean nextKey(NativeBuffer key, int keyOffset, NativeBuffer next, int nextOffset) {
        int map = begin(MapOperation.NEXT_KEY);
        try {
            return Bpf.nextKey(map, key, keyOffset, next, nextOffset);
        } catch (BpfException refused) {
            throw failed(MapOperation.NEXT_KEY, map, refused, 0);
        } finally {
            end();
        }
    }

    /** False at the end. How many entries were read is in {@code count}, also when this throws. */
    boolean lookupBatch(boolean drain, boolean started, NativeBuffer cursor, NativeBuffer keys, NativeBuffer values,
            NativeBuffer count, long flags) {
        MapOperation operation = drain ? MapOperation.LOOKUP_AND_DELETE_BATCH : MapOperation.LOOKUP_BATCH;
        int map = begin(operation);
        try {
            return drain ? Bpf.lookupAndDeleteBatch(map, started, cursor, keys, values, count, flags)
                    : Bpf.lookupBatch(map, started, cursor, keys, values, count, flags);
        } catch (BpfException refused) {
            // No failure: there is not room enough for a bucket.
            throw refused.is("ENOSPC") ? refused : failed(operation, map, refused, flags);
        } finally {
            end();
        }
    }

    void updateBatch(NativeBuffer keys, int keyOffset, NativeBuffer values, int valueOffset, NativeBuffer count,
            long flags) {
        int map = begin(MapOperation.UPDATE_BATCH);
        try {
            Bpf.updateBatch(map, keys, keyOffset, values, valueOffset, count, flags);
        } catch (BpfException refused) {
            throw failed(MapOperation.UPDATE_BATCH, map, refused, flags);
        } finally {
            end();
        }
    }

    /** False when the key at the index in {@code count} is not there. */
    boolean deleteBatch(NativeBuffer keys, int keyOffset, NativeBuffer count) {
        int map = begin(MapOperation.DELETE_BATCH);
        try {
            return Bpf.deleteBatch(map, keys, keyOffset, count);
        } catch (BpfException refused) {
            throw failed(MapOperation.DELETE_BATCH, map, refused, 0);
        } finally {
            end();
        }
    }

    /** Whether there is something to read, after at most so long. */
    boolean awaitReadable(int milliseconds) {
        int map = begin(MapOperation.WAIT);
        try {
            return Bpf.awaitReadable(map, milliseconds);
        } catch (BpfException refused) {
            throw failed(MapOperation.WAIT, map, refused, 0);
        } finally {
            end();
        }
    }

    /**
     * Counts a call and keeps the descriptor open until {@link #end()}.
     *
     * @return the descriptor's number
     */
    int begin(MapOperation operation) {
        int map = hold();
        calls.made(operation);
        return map;
    }

    /** Keeps the descriptor open until {@link #end()}, and returns its number. */
    int hold() {
        try {
            return descriptor.acquire();
        } catch (IllegalStateException closed) {
            throw closed(closed);
        }
    }

    void end() {
        descriptor.release();
    }

    /** The descriptor's number, which may be closed meanwhile. */
    int descriptor() {
        try {
            return descriptor.number();
        } catch (IllegalStateException closed) {
            throw closed(closed);
        }
    }

    private IllegalStateException closed(IllegalStateException cause) {
        return new IllegalStateException("the map " + info.name() + " is closed", cause);
    }

    /**
     * Counts a failure, and says what it means for this map.
     *
     * @param map the descriptor's number, while it is held
     */
    RuntimeException failed(MapOperation operation, int map, BpfException refused, long flags) {
        calls.failed(operation);
        String doing = refused.operation() + " (" + info.name() + ")";
        boolean adds = operation == MapOperation.UPDATE || operation == MapOperation.UPDATE_BATCH;
        if (TypeRules.isIndexed(info.type())
                && (refused.is("E2BIG") || operation == MapOperation.DELETE && refused.is("EINVAL"))) {
            return new IndexOutOfBoundsException("the " + info.type() + " " + info.name() + " has " + info.capacity()
                    + " entries, 0 to " + (info.capacity() - 1) + ": there is no such index");
        }
        if (adds && (refused.is("E2BIG") || info.type() == MapType.LPM_TRIE && refused.is("ENOSPC"))) {
            return new MapFullException(doing, refused.error(), info);
        }
        return new BpfException(doing, refused.error(), advice(operation, map, refused, flags));
    }

    private String advice(MapOperation operation, int map, BpfException refused, long flags) {
        if (refused.is("EPERM")) {
            return Bpf.isFrozen(map) ? "it is frozen: only programs can change it"
                    : (info.flags() & READ_ONLY) != 0 ? "it was created for user space to read only (BPF_F_RDONLY)"
                    : refused.advice();
        }
        if (operation == MapOperation.FREEZE) {
            return refused.is("EBUSY") ? "it is mapped into memory for writing, here or elsewhere: that has to end first"
                    : refused.is("ENOTSUPP") ? "a map of this type, or with locks or timers in its values, cannot be frozen"
                    : refused.advice();
        }
        if (!refused.is("EINVAL")) {
            return refused.advice();
        }
        if ((flags & Bpf.F_LOCK) != 0) {
            return "its values have no struct bpf_spin_lock: do not use locked()";
        }
        return switch (info.type()) {
            case LPM_TRIE -> "a key begins with the length of its prefix, a u32 in the machine's byte order, of at most "
                    + (info.keySize() - Integer.BYTES) * Byte.SIZE + " bits";
            case DEVMAP, DEVMAP_HASH -> "a value is the index of a network interface that is there, in this network namespace";
            case ARRAY_OF_MAPS -> "the map must have the type and the sizes of the inner map that this one was created with";
            default -> refused.advice();
        };
    }
}
