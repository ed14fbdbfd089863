// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.flow.CutAction;
import io.flowbypass.flow.DirectionCounts;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowListener;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowState;
import io.flowbypass.flow.Origin;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Filter;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DeliveryTest {
    private final Delivery delivery = new Delivery();
    private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    private final CountDownLatch taken = new CountDownLatch(1);

    @AfterEach
    void close() {
        delivery.close();
    }

    @Test
    void shouldTakeABatchAtOnceWhenNobodyMustHaveIt() {
        delivery.deliver(batch("1"), taken::countDown);
        assertThat(taken.getCount()).isZero();
    }

    @Test
    void shouldHandEveryListenerEveryBatchInOrder() throws Exception {
        delivery.add("a", "a", hearing("a"));
        delivery.add("b", "b", hearing("b"));
        delivery.deliver(batch("1"), taken::countDown);
        delivery.deliver(batch("2"), taken::countDown);
        List<String> all = List.of(next(), next(), next(), next());
        assertThat(all).containsSubsequence("a1", "a2").containsSubsequence("b1", "b2");
    }

    @Test
    void shouldHoldABatchUntilADurableListenerThatIsNotThereYetTookIt() throws Exception {
        delivery.setDurable(Set.of("records"));
        delivery.deliver(batch("1"), taken::countDown);
        delivery.deliver(batch("2"), taken::countDown);
        assertThat(taken.getCount()).isEqualTo(1);
        delivery.add("r", "records", hearing("r"));
        assertThat(taken.await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(next()).isEqualTo("r1");
        assertThat(next()).isEqualTo("r2");
    }

    @Test
    void shouldNotLetBatchesOfFlowsWithoutSlotsGrowADurableQueueWithoutBound() {
        delivery.setDurable(Set.of("records"));
        for (int i = 0; i < Outlet.LIMIT + 2; i++) {
            delivery.offer(batch("1"));
        }
        assertThat(delivery.lost()).isEqualTo(2);
        delivery.deliver(batch("2"), taken::countDown);
        assertThat(delivery.lost()).as("of flows that hold slots nothing is lost").isEqualTo(2);
        assertThat(taken.getCount()).isEqualTo(1);
    }

    @Test
    void shouldGiveABatchAgainToAListenerThatThrew() throws Exception {
        AtomicInteger calls = new AtomicInteger();
        delivery.setDurable(Set.of("records"));
        delivery.add("key", "records", records -> {
            if (calls.incrementAndGet() < 3) {
                throw new IllegalStateException("disk full");
            }
            heard.add(records.get(0).id());
        });
        delivery.deliver(batch("1"), taken::countDown);
        assertThat(taken.await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(next()).isEqualTo("1");
        assertThat(calls.get()).isEqualTo(3);
    }

    @Test
    void shouldSayOnceThatAListenerThrewUntilItTookSomething() throws Exception {
        List<String> logged = new CopyOnWriteArrayList<>();
        Logger logger = Logger.getLogger(Outlet.class.getName());
        Filter before = logger.getFilter();
        logger.setFilter(record -> !logged.add(record.getMessage()));
        try {
            AtomicInteger calls = new AtomicInteger();
            delivery.add("key", "a", records -> {
                if (calls.incrementAndGet() % 3 != 0) {
                    throw new IllegalStateException("a failure on purpose");
                }
                heard.add(records.get(0).id());
            });
            delivery.deliver(batch("1"), taken::countDown);
            assertThat(next()).isEqualTo("1");
            assertThat(logged).hasSize(1);
            delivery.deliver(batch("2"), taken::countDown);
            assertThat(next()).isEqualTo("2");
            assertThat(logged).hasSize(2).allMatch(line -> line.startsWith("listener a did not take 1 records"));
        } finally {
            logger.setFilter(before);
        }
    }

    @Test
    void shouldGiveABatchToTheNextListenerWhenADurableOneLeftWithIt() throws Exception {
        delivery.setDurable(Set.of("records"));
        CountDownLatch inside = new CountDownLatch(1);
        FlowListener stuck = records -> {
            inside.countDown();
            await(new CountDownLatch(1));
        };
        delivery.add("stuck", "records", stuck);
        delivery.deliver(batch("1"), taken::countDown);
        assertThat(inside.await(10, TimeUnit.SECONDS)).isTrue();
        delivery.remove("stuck");
        assertThat(taken.getCount()).isEqualTo(1);
        delivery.add("r", "records", hearing("r"));
        assertThat(next()).isEqualTo("r1");
        assertThat(taken.await(10, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void shouldLoseAndCountWhatASlowListenerCannotTakeAndNotDelayTheRest() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        delivery.add("key", "slow", records -> {
            inside.countDown();
            await(go);
        });
        delivery.add("q", "quick", hearing("q"));
        delivery.deliver(batch("1"), taken::countDown);
        assertThat(inside.await(10, TimeUnit.SECONDS)).isTrue();
        delivery.deliver(Collections.nCopies(Outlet.LIMIT, batch("2").get(0)), taken::countDown);
        assertThat(next()).isEqualTo("q1");
        assertThat(delivery.lost()).isGreaterThanOrEqualTo(Outlet.LIMIT);
        go.countDown();
    }

    @Test
    void shouldLetASecondListenerOfTheSameNameTakeOverWhenTheFirstLeaves() throws Exception {
        delivery.add("first", "a", hearing("first"));
        delivery.add("second", "a", hearing("second"));
        delivery.deliver(batch("1"), taken::countDown);
        delivery.deliver(batch("2"), taken::countDown);
        assertThat(List.of(next(), next())).containsExactly("first1", "first2");
        delivery.remove("first");
        delivery.deliver(batch("3"), taken::countDown);
        assertThat(next()).isEqualTo("second3");
    }

    @Test
    void shouldHoldABatchForADurableListenerThatWasThereBeforeItWasNamed() throws Exception {
        delivery.add("key", "records", records -> {
            throw new IllegalStateException("disk full");
        });
        delivery.setDurable(Set.of("records"));
        delivery.deliver(batch("1"), taken::countDown);
        assertThat(taken.getCount()).isEqualTo(1);
        delivery.remove("key");
        delivery.add("key2", "records", hearing("r"));
        assertThat(next()).isEqualTo("r1");
        assertThat(taken.await(10, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void shouldFreeWhatAMissingListenerHeldWhenItIsNoLongerDurable() {
        delivery.setDurable(Set.of("records"));
        delivery.deliver(batch("1"), taken::countDown);
        assertThat(taken.getCount()).isEqualTo(1);
        delivery.setDurable(Set.of());
        assertThat(taken.getCount()).isZero();
    }

    @Test
    void shouldTakeABatchOnceWhenTheSameListenerComesAgainWhileItIsStillInside() throws Exception {
        CountDownLatch inside = new CountDownLatch(2);
        CountDownLatch go = new CountDownLatch(1);
        AtomicInteger takenTimes = new AtomicInteger();
        FlowListener deaf = records -> {
            inside.countDown();
            boolean waiting = true;
            while (waiting) {
                try {
                    go.await();
                    waiting = false;
                } catch (InterruptedException e) {
                    // It does not listen to that.
                }
            }
            heard.add(records.get(0).id());
        };
        delivery.setDurable(Set.of("records"));
        delivery.add("1", "records", deaf);
        delivery.deliver(batch("1"), takenTimes::incrementAndGet);
        delivery.deliver(batch("2"), taken::countDown);
        while (inside.getCount() == 2) {
            Thread.onSpinWait();
        }
        delivery.remove("1");
        delivery.add("2", "records", deaf);
        assertThat(inside.await(10, TimeUnit.SECONDS)).isTrue();
        go.countDown();
        assertThat(taken.await(10, TimeUnit.SECONDS)).as("the second batch is not thrown away").isTrue();
        assertThat(takenTimes.get()).isEqualTo(1);
        assertThat(List.of(next(), next(), next())).containsExactlyInAnyOrder("1", "1", "2");
    }

    @Test
    void shouldCallADurableListenerStuckThatTakesNothingForSomeLooksOrIsNotThere() throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        delivery.add("q", "quick", hearing("q"));
        delivery.setDurable(Set.of("records"));
        delivery.deliver(batch("1"), taken::countDown);
        assertThat(delivery.stuck(2)).isEmpty();
        assertThat(delivery.stuck(2)).containsExactly(new Delivery.Stuck("records", false, 1));
        delivery.add("key", "records", records -> await(go));
        assertThat(delivery.stuck(2)).containsExactly(new Delivery.Stuck("records", true, 1));
        delivery.deliver(batch("2"), taken::countDown);
        go.countDown();
        assertThat(taken.await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(delivery.stuck(2)).as("it took some").isEmpty();
    }

    @Test
    void shouldNotCallAListenerStuckForWhichNothingWaits() {
        delivery.setDurable(Set.of("records"));
        for (int look = 0; look < 3; look++) {
            assertThat(delivery.stuck(1)).isEmpty();
        }
    }

    /** Waits in a listener until the test lets it go, or the listener's thread is interrupted. */
    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private FlowListener hearing(String name) {
        return records -> heard.add(name + records.get(0).id());
    }

    private String next() throws InterruptedException {
        return heard.poll(10, TimeUnit.SECONDS);
    }

    private static List<FlowRecord> batch(String id) {
        DirectionCounts none = new DirectionCounts(0, 0, 0);
        return List.of(new FlowRecord(id, new FlowState(FlowKey.of(6, "10.0.0.1", 1, "10.0.0.2", 2), none, none,
                Instant.EPOCH, Instant.EPOCH, CutAction.DROP, Origin.OTHER, "", "", ""), EndReason.IDLE, ""));
    }
}
