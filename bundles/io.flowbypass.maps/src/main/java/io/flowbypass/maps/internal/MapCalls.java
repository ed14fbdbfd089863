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
            throw failed(MapOperation.LOOKUP, refused, flags);
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
            throw failed(MapOperation.UPDATE, refused, flags);
        } finally {
            end();
        }
    }

    boolean delete(NativeBuffer key, int keyOffset) {
        int map = begin(MapOperation.DELETE);
        try {
            return Bpf.delete(map, key, keyOffset);
        } catch (BpfException refused) {
            throw failed(MapOperation.DELETE, refused, 0);
        } finally {
            end();
        }
    }

    boolean lookupAndDelete(NativeBuffer key, int keyOffset, NativeBuffer value, int valueOffset, long flags) {
        int map = begin(MapOperation.LOOKUP_AND_DELETE);
        try {
            return Bpf.lookupAndDelete(map, key, keyOffset, value, valueOffset, flags);
        } catch (BpfException refused) {
            throw failed(MapOperation.LOOKUP_AND_DELETE, refused, flags);
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
            throw failed(MapOperation.NEXT_KEY, refused, 0);
        } finally {
            end();
        }
    }

    /**
     * False at the end.
     *
     * @throws BpfException as the kernel gives it: what it means depends on how many were read
     */
    boolean lookupBatch(boolean drain, boolean started, NativeBuffer cursor, NativeBuffer keys, NativeBuffer values,
            NativeBuffer count, long flags) {
        int map = begin(drain ? MapOperation.LOOKUP_AND_DELETE_BATCH : MapOperation.LOOKUP_BATCH);
        try {
            return drain ? Bpf.lookupAndDeleteBatch(map, started, cursor, keys, values, count, flags)
                    : Bpf.lookupBatch(map, started, cursor, keys, values, count, flags);
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
            throw failed(MapOperation.UPDATE_BATCH, refused, flags);
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
            throw failed(MapOperation.DELETE_BATCH, refused, 0);
        } finally {
            end();
        }
    }

    /** Whether there is something to read, after at most so long. */
    boolean awaitReadable(int milliseconds) {
        int map = begin(MapOperation.WAIT);
        try {
            return Bpf.awaitReadable(map, milliseconds);
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
        calls.made(operation);
        try {
            return descriptor.acquire();
        } catch (IllegalStateException closed) {
            throw new IllegalStateException("the map " + info.name() + " is closed", closed);
        }
    }

    void end() {
        descriptor.release();
    }

    /** Counts a failure, and says what it means for this map; inside {@link #begin} and {@link #end()}. */
    RuntimeException failed(MapOperation operation, BpfException refused, long flags) {
        calls.failed(operation);
        boolean adds = operation == MapOperation.UPDATE || operation == MapOperation.UPDATE_BATCH;
        String doing = refused.operation() + " (" + info.name() + ")";
        if (adds && refused.is("E2BIG") && TypeRules.isIndexed(info.type())) {
            return new IndexOutOfBoundsException("the " + info.type() + " " + info.name() + " has " + info.capacity()
                    + " entries, 0 to " + (info.capacity() - 1) + ": there is no such index");
        }
        if (adds && (refused.is("E2BIG") || info.type() == MapType.LPM_TRIE && refused.is("ENOSPC"))) {
            return new MapFullException(doing, refused.error(), info);
        }
        if (refused.is("EPERM") && Bpf.isFrozen(descriptor.number())) {
            return new BpfException(doing, refused.error(), "it is frozen: only programs can change it");
        }
        if (refused.is("EINVAL")) {
            return new BpfException(doing, refused.error(), invalid(flags, refused));
        }
        return new BpfException(doing, refused.error(), refused.advice());
    }

    private String invalid(long flags, BpfException refused) {
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
