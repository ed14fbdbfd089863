// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowState;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.flow.TableFullException;
import io.flowbypass.flow.TableStatistics;
import io.flowbypass.itests.lab.Crowd;
import io.flowbypass.itests.lab.FalseHints;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.Product;
import io.flowbypass.itests.lab.Records;
import io.flowbypass.itests.lab.Services;
import io.flowbypass.itests.lab.SlowProgram;
import io.flowbypass.itests.lab.Traffic;
import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.Descriptor;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Flows come and go as fast as the table takes them, in slots that are used again at once, while packets run on two CPUs.
 * Whatever a sender saw dropped, that and nothing else its flow's counters hold.
 */
class KeyChurnTest {
    private static final int UDP = 17;
    private static final int RESIDENTS = 512;
    private static final int ASKERS = 4;
    private static final long LIMIT_SECONDS = 30;

    private final long seed = new Random().nextLong();

    private Lab lab;
    private Product product;
    private FlowTable table;
    private Descriptor program;

    @BeforeEach
    void build() {
        lab = new Lab();
        product = new Product();
        // Test runs in a row cost a grace period each, unless the program runs on an interface anyway.
        product.attach(lab.cableA(), "native");
        table = Services.waitFor(FlowTable.class);
        program = Bpf.open(Path.of(Product.PIN_ROOT, "program"));
        Jmx.eventually(() -> table.statistics().closingFlows() == 0, "an earlier test's flows are gone");
    }

    @AfterEach
    void takeDown() {
        if (program != null) {
            program.close();
            product.close();
            lab.close();
        }
    }

    private String withSeed(String what) {
        return what + ", with the seed " + seed;
    }

    private static FlowKey ipv4(int number) {
        return FlowKey.of(UDP, "198.51.100.1", 1000 + number, "198.51.100.2", 53);
    }

    private static FlowKey ipv6(int number) {
        return FlowKey.of(UDP, "2001:db8::2", 1000 + number, "2001:db8::1", 53);
    }

    @Test
    void noPacketOfAFlowThatStaysIsMissedAndNoneIsCreditedToAnother() throws Exception {
        List<FlowKey> keys = new ArrayList<>();
        for (int number = 0; number < RESIDENTS / 2; number++) {
            keys.add(ipv4(number));
            keys.add(ipv6(number));
        }
        for (int number = 0; number < RESIDENTS / 2; number++) {
            keys.add(ipv4(RESIDENTS + number));
            keys.add(ipv6(RESIDENTS + number));
        }
        Traffic traffic = new Traffic(program.number(), keys);
        try (FalseHints hints = new FalseHints(table)) {
            for (int flow = 0; flow < RESIDENTS; flow++) {
                FalseHints.Cell resident = hints.bypass(keys.get(flow));
                hints.plant(keys.get(RESIDENTS + flow), resident);
            }
            churnAround(traffic, keys);
        }
    }

    private void churnAround(Traffic traffic, List<FlowKey> keys) throws Exception {
        Churn churn = new Churn(traffic, RESIDENTS, keys.size(), table.statistics().capacity() * 7 / 8 - RESIDENTS);
        Senders senders = new Senders(dice -> {
            if (dice.nextBoolean()) {
                int resident = dice.nextInt(RESIDENTS);
                assertThat(traffic.send(resident, dice.nextInt(2), 8)).as(withSeed("a resident flow is cut"))
                        .isTrue();
            } else {
                traffic.send(RESIDENTS + dice.nextInt(keys.size() - RESIDENTS), dice.nextInt(2), 1);
            }
        });
        runUntil(() -> churn.bypasses() >= 10_000 && senders.together() >= 100_000, churn, senders.sender(0, seed + 1),
                senders.sender(1, seed + 2));

        List<List<FlowState>> ended = churn.end();
        for (int flow = 0; flow < RESIDENTS; flow++) {
            ended.get(flow).add(table.find(traffic.key(flow)).orElseThrow());
        }
        countedAsDropped(traffic, ended);
    }

    /** Flushed, not released: completing releases keeps the table busy for longer than a packet runs. */
    @Test
    void aPacketThatRunsWhileItsFlowIsTakenOutIsCountedForThatFlowOnly() {
        int talking = 32;
        List<FlowKey> keys = IntStream.range(0, 2 * talking).mapToObj(KeyChurnTest::ipv4).toList();
        try (SlowProgram slow = new SlowProgram(); Records records = new Records()) {
            Traffic traffic = new Traffic(slow.program(), keys);
            List<FlowKey> order = new ArrayList<>(keys);
            Random shuffles = new Random(seed);
            Random dice = new Random(seed + 1);
            LongAdder bypasses = new LongAdder();
            LongAdder cut = new LongAdder();
            runUntil(() -> bypasses.sum() >= 20_000 && cut.sum() >= 300, () -> {
                Collections.shuffle(order, shuffles);
                try {
                    for (FlowKey key : order) {
                        table.bypass(BypassRequest.of(key));
                        bypasses.increment();
                    }
                } catch (TableFullException full) {
                    // Those that are there are enough.
                }
                table.flush();
                // No faster than the listener can take.
                LockSupport.parkNanos(100_000);
            }, () -> {
                if (traffic.send(dice.nextInt(talking), dice.nextInt(2), 1)) {
                    cut.increment();
                }
            });
            Jmx.eventually(() -> records.ended().size() == bypasses.sum(), "each bypass has a record");
            Map<FlowKey, List<FlowState>> ended = records.ended().stream().map(FlowRecord::flow)
                    .collect(Collectors.groupingBy(FlowState::key));
            countedAsDropped(traffic, keys.stream().map(ended::get).toList());
        }
    }

    @Test
    void severalAskersOfOneTupleLeaveOneFlow() throws Exception {
        int flows = 400;
        for (int round = 0; round < 20; round++) {
            Traffic traffic = new Traffic(program.number(),
                    IntStream.range(0, flows).mapToObj(flow -> flow % 2 == 0 ? ipv4(flow) : ipv6(flow)).toList());
            TableStatistics before = table.statistics();
            List<List<Boolean>> added = allAsk(flows, (asker, flow) ->
                    table.bypass(BypassRequest.of(asked(traffic, flow, asker))));
            assertThat(added).allSatisfy(answers -> assertThat(answers).containsOnlyOnce(true));
            assertThat(table.list(0, 2 * flows)).hasSize(flows);
            for (int flow = 0; flow < flows; flow++) {
                assertThat(traffic.send(flow, 0, 3)).as("%s is cut", traffic.key(flow)).isTrue();
                assertThat(traffic.send(flow, 1, 2)).as("%s is cut", traffic.key(flow)).isTrue();
            }
            List<List<CompletableFuture<Optional<FlowRecord>>>> released = allAsk(flows, (asker, flow) ->
                    table.release(asked(traffic, flow, asker)));
            for (int flow = 0; flow < flows; flow++) {
                List<FlowState> records = states(released.get(flow));
                assertThat(records).as(traffic.key(flow).toString()).hasSize(1);
                assertThat(traffic.counted(flow, records)).isEqualTo(traffic.expected(flow));
            }
            Jmx.eventually(() -> table.statistics().closingFlows() == 0, "their slots are free");
            assertThat(table.statistics().flowsAdded() - before.flowsAdded()).isEqualTo(flows);
            assertThat(table.statistics().flowsEnded() - before.flowsEnded()).isEqualTo(flows);
        }
    }

    /** What the senders saw dropped of each flow, that its counters hold. */
    private void countedAsDropped(Traffic traffic, List<List<FlowState>> bypasses) {
        List<String> expected = new ArrayList<>();
        List<String> counted = new ArrayList<>();
        for (int flow = 0; flow < bypasses.size(); flow++) {
            expected.add(traffic.expected(flow));
            counted.add(traffic.counted(flow, bypasses.get(flow)));
        }
        assertThat(counted).as(withSeed("what the flows counted")).isEqualTo(expected);
        assertThat(table.statistics().unaccountedPackets()).isZero();
    }

    /** Half of the askers know the other direction. */
    private static FlowKey asked(Traffic traffic, int flow, int asker) {
        return asker % 2 == 0 ? traffic.key(flow) : traffic.key(flow).reversed();
    }

    /**
     * Each asker goes through all flows in the same order. Who comes second at a flow has less to do there, so they meet
     * again and again.
     *
     * @return per flow, what the askers got
     */
    private static <T> List<List<T>> allAsk(int flows, BiFunction<Integer, Integer, T> ask) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(ASKERS);
        try {
            List<Callable<List<T>>> askers = new ArrayList<>();
            for (int asker = 0; asker < ASKERS; asker++) {
                int number = asker;
                askers.add(() -> IntStream.range(0, flows).mapToObj(flow -> ask.apply(number, flow)).toList());
            }
            List<List<T>> answers = IntStream.range(0, flows).<List<T>>mapToObj(flow -> new ArrayList<>()).toList();
            for (Future<List<T>> asker : threads.invokeAll(askers)) {
                List<T> got = asker.get();
                for (int flow = 0; flow < flows; flow++) {
                    answers.get(flow).add(got.get(flow));
                }
            }
            return answers;
        } finally {
            threads.shutdownNow();
        }
    }

    /** What releases gave, once their counts are final. */
    private static List<FlowState> states(List<CompletableFuture<Optional<FlowRecord>>> releases) throws Exception {
        List<FlowState> states = new ArrayList<>();
        for (CompletableFuture<Optional<FlowRecord>> release : releases) {
            release.get(LIMIT_SECONDS, TimeUnit.SECONDS).ifPresent(ended -> states.add(ended.flow()));
        }
        return states;
    }

    private static void runUntil(Callable<Boolean> enough, Runnable... work) {
        Assumptions.assumeTrue(Runtime.getRuntime().availableProcessors() > 1, "needs two CPUs");
        try (Crowd crowd = new Crowd()) {
            Stream.of(work).forEach(crowd::add);
            Jmx.eventually(() -> {
                crowd.check();
                return enough.call();
            }, "enough flows came and went, and enough packets ran at the same time");
        }
    }

    /** Two senders, and how often one found the other inside the program too. */
    private static final class Senders {
        private final Consumer<Random> send;
        private final AtomicIntegerArray inside = new AtomicIntegerArray(2);
        private final LongAdder together = new LongAdder();

        Senders(Consumer<Random> send) {
            this.send = send;
        }

        Runnable sender(int number, long seed) {
            Random dice = new Random(seed);
            return () -> {
                inside.set(number, 1);
                send.accept(dice);
                if (inside.get(1 - number) == 1) {
                    together.increment();
                }
                inside.set(number, 0);
            };
        }

        long together() {
            return together.sum();
        }
    }

    /** Bypasses and releases the flows of a range in random order: as many live at a time as the table has room for. */
    private final class Churn implements Runnable {
        private final Traffic traffic;
        private final int leastLive;
        private final Random dice = new Random(seed);
        private final List<Integer> absent = new ArrayList<>();
        private final Deque<Integer> live = new ArrayDeque<>();
        private final List<List<CompletableFuture<Optional<FlowRecord>>>> releases = new ArrayList<>();
        private volatile int bypasses;

        Churn(Traffic traffic, int first, int end, int leastLive) {
            this.traffic = traffic;
            this.leastLive = leastLive;
            for (int flow = 0; flow < end; flow++) {
                releases.add(new ArrayList<>());
                if (flow >= first) {
                    absent.add(flow);
                }
            }
        }

        int bypasses() {
            return bypasses;
        }

        @Override
        public void run() {
            int place = dice.nextInt(absent.size());
            int flow = absent.get(place);
            try {
                assertThat(table.bypass(BypassRequest.of(asked(traffic, flow, dice.nextInt(2))))).isTrue();
            } catch (TableFullException full) {
                makeRoom();
                return;
            }
            assertThat(traffic.send(flow, dice.nextInt(2), 1)).as(withSeed("cut once bypassed")).isTrue();
            absent.set(place, absent.get(absent.size() - 1));
            absent.remove(absent.size() - 1);
            live.add(flow);
            bypasses++;
            if (absent.isEmpty()) {
                releaseOldest();
            }
        }

        private void makeRoom() {
            if (live.size() > leastLive) {
                releaseOldest();
            } else {
                LockSupport.parkNanos(100_000);
            }
        }

        private void releaseOldest() {
            int flow = live.remove();
            releases.get(flow).add(table.release(asked(traffic, flow, dice.nextInt(2))));
            assertThat(traffic.send(flow, dice.nextInt(2), 1)).as(withSeed("cut once released")).isFalse();
            absent.add(flow);
        }

        /** Ends all; returns, per flow, what its bypasses counted. */
        List<List<FlowState>> end() throws Exception {
            while (!live.isEmpty()) {
                releaseOldest();
            }
            List<List<FlowState>> ended = new ArrayList<>();
            for (List<CompletableFuture<Optional<FlowRecord>>> release : releases) {
                ended.add(states(release));
            }
            assertThat(ended.stream().mapToInt(List::size).sum()).as("records").isEqualTo(bypasses);
            return ended;
        }
    }
}
