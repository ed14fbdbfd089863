// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.NativeBuffer;
import io.flowbypass.maps.Codec;
import io.flowbypass.maps.Cursor;
import io.flowbypass.maps.CursorLostException;
import io.flowbypass.maps.LostCursor;
import io.flowbypass.maps.MapType;
import io.flowbypass.maps.TypedMap;
import io.flowbypass.maps.Way;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The pitfalls of {@code bpf_map_get_next_key} that the project began with: five keys, 100 to 104, with the values 1000 to
 * 1004; each wrong program on the bare system calls, and the right one on the service.
 */
class SeedProgramsTest extends KernelTest {
    private static final int MOST_STEPS = 100;

    private OpenMap map;
    private TypedMap<Long, Long> entries;

    private void fill(Way way) {
        map = map(MapType.HASH, Long.BYTES, 20, MapCalls::new, way == Way.BATCH ? new KernelFeatures() : LINUX_5_5);
        entries = map.typed(Codec.LONG, Codec.LONG);
        for (long i = 0; i < 5; i++) {
            entries.update(100 + i, 1000 + i);
        }
        assertThat(entries.walk(LostCursor.FAIL).way()).isEqualTo(way);
    }

    @ParameterizedTest
    @EnumSource
    void shouldSeeAllWhereReadingTheArgumentInsteadOfTheNextKeyLooksNoKeyUpAndMissesOne(Way way) {
        fill(way);
        NativeBuffer key = buffer(-1);
        NativeBuffer next = buffer(0);
        NativeBuffer value = buffer(0);
        int iterations = 0;
        int missing = 0;
        HashSet<Long> seen = new HashSet<>();
        while (iterations < MOST_STEPS && Bpf.nextKey(map.descriptor(), key, 0, next, 0)) {
            iterations++;
            if (Bpf.lookup(map.descriptor(), key, 0, value, 0, 0)) {
                seen.add(key.bytes().getLong(0));
            } else {
                missing++;
            }
            key.bytes().putLong(0, next.bytes().getLong(0));
        }
        assertThat(iterations).isEqualTo(5);
        assertThat(missing).as("lookups of a key that does not exist").isEqualTo(1);
        assertThat(seen).hasSize(4);

        assertThat(keysOf(entries.walk(LostCursor.FAIL))).as("the cursor").containsExactlyInAnyOrder(100L, 101L, 102L,
                103L, 104L);
    }

    @ParameterizedTest
    @EnumSource
    void shouldKnowThatDeletingTheKeyUnderTheCursorBeginsTheWalkAnew(Way way) {
        fill(way);
        List<Long> order = keysOf(entries.walk(LostCursor.FAIL));
        NativeBuffer previous = null;
        NativeBuffer key = buffer(0);
        NativeBuffer value = buffer(0);
        List<Long> visits = new ArrayList<>();
        while (visits.size() < MOST_STEPS && Bpf.nextKey(map.descriptor(), previous, 0, key, 0)) {
            assertThat(Bpf.lookup(map.descriptor(), key, 0, value, 0, 0)).isTrue();
            visits.add(key.bytes().getLong(0));
            if (value.bytes().getLong(0) % 2 == 1) {
                Bpf.delete(map.descriptor(), key, 0);
            }
            previous = previous == null ? buffer(0) : previous;
            previous.bytes().putLong(0, key.bytes().getLong(0));
        }
        // As in the post: 102 101 | 102 100 104 103 | 102 100 104, where 101 and 103 are deleted.
        assertThat(order).containsExactly(102L, 101L, 100L, 104L, 103L);
        assertThat(visits).containsExactly(102L, 101L, 102L, 100L, 104L, 103L, 102L, 100L, 104L);
    }

    @ParameterizedTest
    @EnumSource
    void shouldVisitEachKeyOnceThoughItDeletesSome(Way way) {
        fill(way);
        Cursor<Long, Long> cursor = entries.walk(LostCursor.FAIL);
        List<Long> visits = new ArrayList<>();
        while (visits.size() < MOST_STEPS && cursor.next()) {
            visits.add(cursor.key());
            if (cursor.value() % 2 == 1) {
                assertThat(cursor.delete()).isTrue();
                assertThat(cursor.delete()).as("deleting it again").isFalse();
            }
        }
        assertThat(visits).containsExactlyInAnyOrder(100L, 101L, 102L, 103L, 104L);
        assertThat(keysOf(entries.walk(LostCursor.FAIL))).containsExactlyInAnyOrder(100L, 102L, 104L);
    }

    @ParameterizedTest
    @EnumSource
    void shouldNoticeThatSomebodyElseDeletedTheKeyUnderTheCursor(Way way) {
        fill(way);
        // In the order of the kernel: 102 101 100 104 103.
        Cursor<Long, Long> failing = entries.walk(LostCursor.FAIL);
        assertThat(failing.next()).isTrue();
        Cursor<Long, Long> retrying = entries.walk(LostCursor.RETRY_FROM_PREVIOUS);
        assertThat(retrying.next()).isTrue();
        assertThat(entries.delete(101L)).isTrue();
        assertThatThrownBy(failing::next).isInstanceOf(CursorLostException.class).hasMessageContaining("fb_test")
                .hasMessageContaining("CONTINUE");
        assertThat(keysOf(retrying)).as("goes on behind 102").containsExactly(100L, 104L, 103L);
    }

    @ParameterizedTest
    @EnumSource
    void shouldGoOnWhereEveryKeyThatWasGivenIsGoneToo(Way way) {
        fill(way);
        Cursor<Long, Long> retrying = entries.walk(LostCursor.RETRY_FROM_PREVIOUS);
        Cursor<Long, Long> continuing = entries.walk(LostCursor.CONTINUE);
        assertThat(retrying.next()).isTrue();
        assertThat(continuing.next()).isTrue();
        entries.delete(102L);
        entries.delete(101L);
        entries.update(102L, 2L);
        assertThat(keysOf(continuing)).containsExactlyInAnyOrder(100L, 104L, 103L);
        entries.delete(102L);
        entries.update(101L, 1L);
        assertThat(keysOf(retrying)).contains(100L, 104L, 103L);
    }

    @ParameterizedTest
    @EnumSource
    void shouldTakeOutWhatAConditionHoldsFor(Way way) {
        fill(way);
        assertThat(entries.removeIf((key, value) -> value % 2 == 1)).isEqualTo(2);
        assertThat(keysOf(entries.walk(LostCursor.FAIL))).containsExactlyInAnyOrder(100L, 102L, 104L);
        assertThat(entries.removeIf((key, value) -> value % 2 == 1)).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void shouldStandOnAnEntryOnlyBetweenTheFirstAndTheLast(Way way) {
        fill(way);
        Cursor<Long, Long> cursor = entries.walk(LostCursor.CONTINUE);
        assertThatThrownBy(cursor::key).isInstanceOf(IllegalStateException.class);
        keysOf(cursor);
        assertThatThrownBy(cursor::delete).isInstanceOf(IllegalStateException.class);
        assertThat(cursor.next()).as("the end stays the end").isFalse();
    }

    private static List<Long> keysOf(Cursor<Long, Long> cursor) {
        List<Long> keys = new ArrayList<>();
        while (keys.size() < MOST_STEPS && cursor.next()) {
            assertThat(cursor.value()).isIn(cursor.key() + 900, cursor.key() - 100);
            keys.add(cursor.key());
        }
        return keys;
    }

    private static NativeBuffer buffer(long content) {
        NativeBuffer buffer = NativeBuffer.allocate(Long.BYTES);
        buffer.bytes().putLong(0, content);
        return buffer;
    }
}
