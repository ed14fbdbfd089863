// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.libbpf.BpfException;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.libbpf.NativeBuffer;
import io.flowbypass.maps.Blocks;
import io.flowbypass.maps.MapInfo;
import io.flowbypass.maps.MapOperation;
import io.flowbypass.maps.MapType;
import io.flowbypass.maps.TypedMap;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** A kernel that fails in the middle of a block: what it had taken out by then is in the buffer. */
class BatchBlocksTest extends KernelTest {
    private static final int KEYS = 1000;

    private final Set<Integer> given = new HashSet<>();
    private int failures;

    private final class FailsLate extends MapCalls {
        private final String error;
        private final int every;
        private int calls;

        FailsLate(Descriptor descriptor, MapInfo info, Calls counts, String error, int every) {
            super(descriptor, info, counts);
            this.error = error;
            this.every = every;
        }

        @Override
        boolean lookupBatch(boolean drain, boolean started, NativeBuffer cursor, NativeBuffer keys, NativeBuffer values,
                NativeBuffer count, long flags) {
            boolean more = super.lookupBatch(drain, started, cursor, keys, values, count, flags);
            if (++calls % every == 0) {
                failures++;
                throw new BpfException("draining a block of keys", error, "later");
            }
            return more;
        }
    }

    private TypedMap<Integer, Long> entries(String error, int every) {
        return filled(map(MapType.HASH, KEYS,
                (descriptor, info, counts) -> new FailsLate(descriptor, info, counts, error, every),
                new KernelFeatures()), KEYS);
    }

    private void give(Blocks<Integer, Long> blocks) {
        while (blocks.next()) {
            for (int i = 0; i < blocks.size(); i++) {
                assertThat(given.add(blocks.key(i))).isTrue();
            }
        }
    }

    @Test
    void shouldGiveWhatWasTakenOutBeforeItThrows() {
        TypedMap<Integer, Long> entries = entries("EIO", 3);
        assertThatThrownBy(() -> give(entries.drain(100))).isInstanceOf(BpfException.class).hasMessageContaining("EIO");
        assertThat(given).hasSizeGreaterThan(200);
        give(entries.drain(1000));
        assertThat(given).as("nothing is lost").hasSize(KEYS);
    }

    @Test
    void shouldGoOnAfterAnErrorThatPasses() {
        TypedMap<Integer, Long> entries = entries("ETIMEDOUT", 2);
        give(entries.drain(100));
        assertThat(given).hasSize(KEYS);
        assertThat(failures).isPositive();
    }

    /** A lock that stays taken: nothing is read, ever. */
    @Test
    void shouldGiveUpOnAnErrorThatStays() {
        OpenMap map = map(MapType.HASH, KEYS, (descriptor, info, counts) -> new MapCalls(descriptor, info, counts) {
            @Override
            boolean lookupBatch(boolean drain, boolean started, NativeBuffer cursor, NativeBuffer keys,
                    NativeBuffer values, NativeBuffer count, long flags) {
                assertThat(started).isFalse();
                count.bytes().putInt(0, 0);
                failures++;
                throw new BpfException("looking up a block of keys", "EBUSY", "try again");
            }
        }, new KernelFeatures());
        Blocks<Integer, Long> blocks = filled(map, KEYS).lookupBatch(100);
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(blocks::next).isInstanceOf(BpfException.class).hasMessageContaining("EBUSY");
        }
        assertThat(failures).isEqualTo(16);
    }

    @Test
    void shouldNotTakeAnErrorForAFullMap() {
        OpenMap map = map(MapType.HASH, KEYS, MapCalls::new, new KernelFeatures());
        for (String error : new String[] {"EBUSY", "ENOMEM", "EDEADLK", "ETIMEDOUT", "EAGAIN"}) {
            for (MapOperation operation : new MapOperation[] {MapOperation.UPDATE, MapOperation.UPDATE_BATCH}) {
                assertThat(map.calls().failed(operation, map.descriptor(), new BpfException("updating a key", error, "advice"), 0))
                        .isExactlyInstanceOf(BpfException.class).hasMessage("updating a key (fb_test) failed with "
                                + error + ": advice");
            }
        }
    }
}
