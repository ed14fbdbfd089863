// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.libbpf.BpfException;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.libbpf.NativeBuffer;
import io.flowbypass.maps.BatchDelete;
import io.flowbypass.maps.BatchUpdate;
import io.flowbypass.maps.Codec;
import io.flowbypass.maps.MapInfo;
import io.flowbypass.maps.MapType;
import io.flowbypass.maps.TypedMap;
import org.junit.jupiter.api.Test;

/** Another CPU stands still while it holds a lock of the map. */
class BlockWriterTest extends KernelTest {
    private static final int KEYS = 1000;

    private int failures;

    /** Every other call takes half of its block, and then finds a lock taken. */
    private final class LockedAtTimes extends MapCalls {
        private int calls;

        LockedAtTimes(Descriptor descriptor, MapInfo info, Calls counts) {
            super(descriptor, info, counts);
        }

        @Override
        void updateBatch(NativeBuffer keys, int keyOffset, NativeBuffer values, int valueOffset, NativeBuffer count,
                long flags) {
            boolean fails = failsWithHalf(count);
            super.updateBatch(keys, keyOffset, values, valueOffset, count, flags);
            if (fails) {
                throw locked();
            }
        }

        @Override
        boolean deleteBatch(NativeBuffer keys, int keyOffset, NativeBuffer count) {
            boolean fails = failsWithHalf(count);
            boolean found = super.deleteBatch(keys, keyOffset, count);
            if (fails) {
                throw locked();
            }
            return found;
        }

        private boolean failsWithHalf(NativeBuffer count) {
            if (++calls % 2 == 0) {
                return false;
            }
            count.bytes().putInt(0, count.bytes().getInt(0) / 2);
            return true;
        }
    }

    private BpfException locked() {
        failures++;
        return new BpfException("writing a block of keys", "ETIMEDOUT", "try again");
    }

    @Test
    void shouldGoOnWhereALockCouldNotBeHad() {
        TypedMap<Integer, Long> entries =
                map(MapType.HASH, KEYS, LockedAtTimes::new, new KernelFeatures()).typed(Codec.INT, Codec.LONG);
        BatchUpdate<Integer, Long> update = entries.updateBatch(100);
        for (int key = 0; key < KEYS; key++) {
            update.add(key, 3L * key);
        }
        update.close();
        assertThat(update.written()).isEqualTo(KEYS);
        assertThat(failures).isPositive();
        for (int key = 0; key < KEYS; key++) {
            assertThat(entries.lookup(key)).contains(3L * key);
        }

        int before = failures;
        BatchDelete<Integer> delete = entries.deleteBatch(100);
        for (int key = 0; key < KEYS; key++) {
            delete.add(key);
        }
        delete.close();
        assertThat(delete.deleted()).isEqualTo(KEYS);
        assertThat(failures).isGreaterThan(before);
    }

    @Test
    void shouldGiveUpOnALockThatCannotBeHadAtAll() {
        OpenMap map = map(MapType.HASH, KEYS, (descriptor, info, counts) -> new MapCalls(descriptor, info, counts) {
            @Override
            void updateBatch(NativeBuffer keys, int keyOffset, NativeBuffer values, int valueOffset, NativeBuffer count,
                    long flags) {
                count.bytes().putInt(0, 0);
                throw locked();
            }
        }, new KernelFeatures());
        BatchUpdate<Integer, Long> update = map.typed(Codec.INT, Codec.LONG).updateBatch(100);
        update.add(1, 1L);
        for (int times = 1; times <= 2; times++) {
            assertThatThrownBy(update::flush).isInstanceOf(BpfException.class).hasMessageContaining("ETIMEDOUT");
            assertThat(failures).isEqualTo(times * BatchBlocks.ATTEMPTS);
        }
        assertThat(update.written()).isZero();
    }
}
