// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.NativeBuffer;
import io.flowbypass.maps.Blocks;
import io.flowbypass.maps.Codec;
import io.flowbypass.maps.Cursor;
import io.flowbypass.maps.CursorLostException;
import io.flowbypass.maps.LostCursor;
import io.flowbypass.maps.MapType;
import io.flowbypass.maps.TypedMap;
import io.flowbypass.maps.Way;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Walks while others work on the map at full speed: one deletes the very key that the walk will come to next, one adds and
 * deletes keys everywhere. Even keys are there all the time, odd ones come and go.
 */
class ConcurrentWalkTest extends KernelTest {
    private static final int KEYS = 2000;
    private static final int WALKS = 300;
    private static final long NOWHERE = -1;

    private final AtomicLong standsOn = new AtomicLong(NOWHERE);
    private final ExecutorService others = Executors.newCachedThreadPool();
    private final List<Future<?>> working = new ArrayList<>();
    private volatile boolean done;
    private OpenMap map;
    private TypedMap<Long, Long> entries;

    private void fill(Way way) {
        map = map(MapType.HASH, Long.BYTES, 2 * KEYS, MapCalls::new, way == Way.BATCH ? new KernelFeatures() : LINUX_5_5);
        entries = map.typed(Codec.LONG, Codec.LONG);
        for (long key = 0; key < KEYS; key++) {
            entries.update(key, key);
        }
        assertThat(entries.walk(LostCursor.FAIL).way()).isEqualTo(way);
        work(this::deleteTheNextKey);
        work(this::comeAndGo);
    }

    private void work(Runnable work) {
        working.add(others.submit(() -> {
            while (!done) {
                work.run();
            }
        }));
    }

    @AfterEach
    void endTheOthers() throws Exception {
        done = true;
        for (Future<?> other : working) {
            other.get(1, TimeUnit.MINUTES);
        }
        others.shutdown();
    }

    @ParameterizedTest
    @EnumSource
    void shouldFailBecauseOfADeletedCursorWithFail(Way way) {
        fill(way);
        int lost = 0;
        for (int walk = 0; walk < WALKS && lost == 0; walk++) {
            try {
                walk(LostCursor.FAIL, new int[KEYS]);
            } catch (CursorLostException expected) {
                lost++;
            }
        }
        assertThat(lost).as("walks that failed").isPositive();
    }

    @ParameterizedTest
    @EnumSource
    void shouldEndAndSeeEveryKeyThatIsThereAllTheTimeWithRetryFromPrevious(Way way) {
        fill(way);
        for (int walk = 0; walk < WALKS; walk++) {
            int[] seen = new int[KEYS];
            walk(LostCursor.RETRY_FROM_PREVIOUS, seen);
            for (int key = 0; key < KEYS; key += 2) {
                assertThat(seen[key]).as("times that walk %s saw the key %s", walk, key).isPositive();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldEndAndSeeEveryKeyThatIsThereAllTheTimeExactlyOnceWithContinue(Way way) {
        fill(way);
        for (int walk = 0; walk < WALKS; walk++) {
            int[] seen = new int[KEYS];
            walk(LostCursor.CONTINUE, seen);
            for (int key = 0; key < KEYS; key++) {
                if (key % 2 == 0) {
                    assertThat(seen[key]).as("times that walk %s saw the key %s", walk, key).isEqualTo(1);
                } else {
                    assertThat(seen[key]).as("times that walk %s saw the key %s", walk, key).isLessThan(2);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldReadEveryKeyThatIsThereAllTheTimeExactlyOnceInBlocks(Way way) {
        fill(way);
        for (int walk = 0; walk < WALKS; walk++) {
            int[] seen = new int[KEYS];
            Blocks<Long, Long> blocks = entries.lookupBatch(100);
            while (blocks.next()) {
                for (int i = 0; i < blocks.size(); i++) {
                    // By a walk, a value can be another key's.
                    assertThat(blocks.way() == Way.WALK || blocks.value(i).equals(blocks.key(i))).isTrue();
                    seen[blocks.key(i).intValue()]++;
                    standsOn.set(blocks.key(i));
                }
            }
            for (int key = 0; key < KEYS; key += 2) {
                assertThat(seen[key]).as("times that reading %s gave the key %s", walk, key).isEqualTo(1);
            }
        }
    }

    private void walk(LostCursor choice, int[] seen) {
        Cursor<Long, Long> cursor = entries.walk(choice);
        while (cursor.next()) {
            seen[cursor.key().intValue()]++;
            standsOn.set(cursor.key());
        }
    }

    /** What the walk has asked for already when it gave the key before. */
    private void deleteTheNextKey() {
        long key = standsOn.get();
        NativeBuffer present = NativeBuffer.allocate(Long.BYTES);
        NativeBuffer next = NativeBuffer.allocate(Long.BYTES);
        present.bytes().putLong(0, key);
        if (key != NOWHERE && Bpf.nextKey(map.descriptor(), present, 0, next, 0) && next.bytes().getLong(0) % 2 == 1) {
            entries.delete(next.bytes().getLong(0));
        }
    }

    private void comeAndGo() {
        long key = ThreadLocalRandom.current().nextLong(KEYS) | 1;
        if (!entries.delete(key)) {
            entries.update(key, key);
        }
        long other = ThreadLocalRandom.current().nextLong(KEYS) | 1;
        entries.update(other, other);
    }
}
