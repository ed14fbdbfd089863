// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** A set of keys of one size that only grows: the keys one after the other, and a hash table of their numbers. */
final class SeenKeys {
    private static final int FIRST_ROOM = 1024;
    /** Odd, so that no bits are lost; the golden ratio's, which spreads them. */
    private static final long MIX = 0x9E3779B97F4A7C15L;

    private final int size;
    private byte[] keys;
    /** Number of a key plus 1; 0 is empty. At most half of it is used. */
    private int[] table = new int[2 * FIRST_ROOM];
    private int count;

    SeenKeys(int size) {
        this.size = size;
        this.keys = new byte[Math.multiplyExact(FIRST_ROOM, size)];
    }

    /** Adds the key at an offset; false when it is in already. */
    boolean add(ByteBuffer from, int offset) {
        if (2 * count == table.length) {
            grow();
        }
        from.get(offset, keys, count * size, size);
        int place = place(count);
        if (table[place] != 0) {
            return false;
        }
        table[place] = ++count;
        return true;
    }

    /** The place that holds the same key as this one, or where it belongs. */
    private int place(int number) {
        int mask = table.length - 1;
        int place = (int) (hash(number) >>> Integer.SIZE) & mask;
        while (table[place] != 0 && !isSame(table[place] - 1, number)) {
            place = (place + 1) & mask;
        }
        return place;
    }

    private long hash(int number) {
        long hash = size;
        for (int at = number * size; at < (number + 1) * size; at++) {
            hash = (hash ^ keys[at]) * MIX;
            hash ^= hash >>> 29;
        }
        return hash;
    }

    private boolean isSame(int one, int other) {
        return Arrays.equals(keys, one * size, (one + 1) * size, keys, other * size, (other + 1) * size);
    }

    private void grow() {
        keys = Arrays.copyOf(keys, Math.multiplyExact(2 * count, size));
        table = new int[2 * table.length];
        for (int number = 0; number < count; number++) {
            table[place(number)] = number + 1;
        }
    }
}
