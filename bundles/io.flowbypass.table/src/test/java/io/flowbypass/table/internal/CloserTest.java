// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.flow.FlowRecord;
import io.flowbypass.table.internal.Closer.Closing;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class CloserTest {
    private volatile int room = Integer.MAX_VALUE;
    private final BlockingQueue<List<Integer>> harvested = new LinkedBlockingQueue<>();
    private final BlockingQueue<List<Integer>> answered = new LinkedBlockingQueue<>();
    private final Closer closer = new Closer(() -> { }, () -> room, this::harvest, batch -> answered.add(slots(batch)));

    private void harvest(List<Closing> batch) {
        room -= batch.size();
        harvested.add(slots(batch));
    }

    private static List<Integer> slots(List<Closing> batch) {
        return batch.stream().map(Closing::slot).toList();
    }

    private CompletableFuture<Optional<FlowRecord>> add(int slot, boolean isAsked) {
        CompletableFuture<Optional<FlowRecord>> asked = isAsked ? new CompletableFuture<>() : null;
        closer.add(new Closing(slot, "", asked));
        return asked;
    }

    @AfterEach
    void stop() {
        closer.stop();
    }

    @Test
    void shouldHarvestManyInPieces() throws Exception {
        for (int i = 0; i < Closer.BATCH + 1; i++) {
            add(i, false);
        }
        closer.start();
        assertThat(harvested.take()).hasSize(Closer.BATCH);
        assertThat(harvested.take()).containsExactly(Closer.BATCH);
    }

    @Test
    void shouldHarvestAsManyAsThereIsRoomForAndTheRestLaterAndAnswerWhoWaits() throws Exception {
        room = 2;
        add(1, true);
        add(2, false);
        add(3, true);
        add(4, false);
        closer.start();
        assertThat(harvested.take()).containsExactly(1, 2);
        assertThat(answered.take()).containsExactly(3);
        add(5, true);
        assertThat(answered.take()).containsExactly(5);
        assertThat(harvested).isEmpty();
        room = 2;
        assertThat(harvested.take()).containsExactly(3, 4);
        room = 2;
        assertThat(harvested.take()).containsExactly(5);
    }

    @Test
    void shouldEndWhileThereIsNoRoom() throws Exception {
        room = 0;
        CompletableFuture<Optional<FlowRecord>> asked = add(1, true);
        closer.start();
        assertThat(answered.take()).containsExactly(1);
        closer.stop();
        assertThatThrownBy(() -> asked.get(10, TimeUnit.SECONDS)).hasMessageContaining("the flow table is gone");
        assertThat(harvested).isEmpty();
    }
}
