// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.Decision;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowListener;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.flow.FlowTest;
import io.flowbypass.itests.lab.Framework;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.LogLines;
import io.flowbypass.itests.lab.Notifications;
import io.flowbypass.itests.lab.Product;
import io.flowbypass.itests.lab.Records;
import io.flowbypass.itests.lab.RunningFlow;
import io.flowbypass.itests.lab.Services;
import io.flowbypass.itests.lab.SweepsByHand;
import io.flowbypass.policy.ExpiryPolicy;
import io.flowbypass.policy.Sweep;
import java.util.ArrayList;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceRegistration;

/**
 * Policies, listeners and configurations that are bad, while traffic flows: contained, named, and forgiven once they are
 * mended. In every test a bypassed flow runs in both directions: none of its packets is seen, in the end each is counted.
 */
class BadNeighbourTest {
    private static final BundleContext CONTEXT = FrameworkUtil.getBundle(BadNeighbourTest.class).getBundleContext();
    private static final String IDLE = "Policy,name=idle";
    private static final int UDP = 17;
    /** The port of flows that the good policy ends, and of those that the bad one ends once it is mended. */
    private static final int GOOD = 20_000;
    private static final int MENDED = 30_000;
    /** Of a flow without packets: it cannot wake up. */
    private static final int SILENT = 40_000;
    private static final Decision END = Decision.end(EndReason.POLICY, "");

    private final List<AutoCloseable> opened = new ArrayList<>();
    private FlowTable table;
    private SweepsByHand sweeps;
    private RunningFlow running;
    private Records records;
    private Notifications notifications;
    private LogLines log;
    private Neighbour good;

    @BeforeEach
    void cutAFlowThatKeepsRunning() {
        Lab lab = open(new Lab());
        Product product = open(new Product());
        product.attach(lab.cableA(), "native");
        product.attach(lab.cableB(), "native");
        sweeps = open(new SweepsByHand());
        table = Services.waitFor(FlowTable.class);
        Jmx.eventually(() -> table.statistics().closingFlows() == 0, "an earlier test's flows are gone");
        records = open(new Records());
        notifications = open(new Notifications("Expiry"));
        log = open(new LogLines("io.flowbypass"));
        good = open(new Neighbour("good", 50));
        good.test = endsPort(GOOD);
        running = new RunningFlow(lab);
    }

    @AfterEach
    void takeDown() throws Exception {
        for (int last = opened.size() - 1; last >= 0; last--) {
            opened.get(last).close();
        }
    }

    private <T extends AutoCloseable> T open(T closeable) {
        opened.add(closeable);
        return closeable;
    }

    private static FlowKey key(int port) {
        return FlowKey.of(UDP, Lab.A, port, Lab.B, 6000);
    }

    private void bypass(int port) {
        assertThat(table.bypass(BypassRequest.of(key(port)))).isTrue();
    }

    private static FlowTest endsPort(int port) {
        return flow -> flow.key().sourcePort() == port ? END : Decision.KEEP;
    }

    private static List<String> names(String attribute) {
        String names = (String) Jmx.attribute("Expiry", attribute);
        return names.isEmpty() ? List.of() : List.of(names.split(", "));
    }

    /** Anew: they are selected as shipped. */
    private static void selectAll() {
        Jmx.invoke("Expiry", "selectPolicies", "");
    }

    /** The flow ended once more, by that policy. */
    private void isEndedBy(String policy, int port, int times) {
        Jmx.eventually(() -> records.ended().stream().filter(record -> record.flow().key().equals(key(port))
                && record.reason() == EndReason.POLICY && record.detail().equals(policy)).count() == times,
                policy + " ended the flow");
    }

    // Policies.

    @Test
    void aPolicyThatThrowsAsASweepBegins() {
        isContainedAndWorksOnceMended(bad -> bad.begin = sweep -> {
            throw new IllegalStateException("no table of ports");
        }, "begin() threw java.lang.IllegalStateException: no table of ports", bad -> selectAll());
    }

    @Test
    void aPolicyThatThrowsAnErrorAtAFlow() {
        isContainedAndWorksOnceMended(bad -> bad.test = flow -> {
            throw new NoClassDefFoundError("com/example/Ports");
        }, "decide() threw java.lang.NoClassDefFoundError: com/example/Ports", Neighbour::reconfigure);
    }

    @Test
    void aPolicyThatBeginsWithNothing() {
        isContainedAndWorksOnceMended(bad -> bad.begin = sweep -> null, "begin() returned null", bad -> {
            bad.close();
            bad.register();
        });
    }

    @Test
    void aPolicyThatDecidesNothing() {
        isContainedAndWorksOnceMended(bad -> bad.test = flow -> null, "decide() returned null", bad -> selectAll());
    }

    private void isContainedAndWorksOnceMended(Consumer<Neighbour> behaviour, String failure,
            Consumer<Neighbour> comesBack) {
        Neighbour bad = open(new Neighbour("bad", 100));
        behaviour.accept(bad);
        assertThat(names("ActivePolicies")).startsWith("bad", "good");
        for (int times = 1; times <= 3; times++) {
            assertThat(names("QuarantinedPolicies")).isEmpty();
            bypass(GOOD);
            assertThat(sweeps.sweep()).as("flows that the other policy ends").isEqualTo(1);
            isEndedBy("good", GOOD, times);
        }
        assertThat(names("QuarantinedPolicies")).containsExactly("bad");
        assertThat(names("ActivePolicies")).startsWith("good").doesNotContain("bad");
        Jmx.eventually(() -> !notifications.of("policy.quarantined").isEmpty(), "the operator is told");
        assertThat(notifications.of("policy.quarantined")).singleElement().asString().startsWith("bad: ").contains(failure);
        assertThat(isLogged("is in quarantine because it failed in 3 sweeps in a row, at last its " + failure)).isTrue();

        bad.begin = sweep -> bad.test;
        bad.test = endsPort(MENDED);
        bypass(MENDED);
        assertThat(sweeps.sweep()).as("flows that a policy in quarantine ends").isZero();
        comesBack.accept(bad);
        assertThat(names("QuarantinedPolicies")).isEmpty();
        assertThat(sweeps.sweep()).isEqualTo(1);
        isEndedBy("bad", MENDED, 1);
        running.wasCutAndCounted();
    }

    @Test
    void aPolicyThatHangsAtAFlow() throws InterruptedException {
        Hang hang = new Hang();
        isAbandonedAndWorksOnceMended(hang, bad -> bad.test = flow -> {
            if (flow.key().sourcePort() == SILENT) {
                hang.untilReleased();
                return END;
            }
            return Decision.KEEP;
        });
    }

    @Test
    void aPolicyThatHangsAsASweepBegins() throws InterruptedException {
        Hang hang = new Hang();
        isAbandonedAndWorksOnceMended(hang, bad -> bad.begin = sweep -> {
            hang.untilReleased();
            return flow -> END;
        });
    }

    private void isAbandonedAndWorksOnceMended(Hang hang, Consumer<Neighbour> behaviour)
            throws InterruptedException {
        // The third time that a policy hangs, expiry stops: a new engine counts anew.
        opened.add(() -> Framework.restart("io.flowbypass.expiry"));
        Neighbour bad = open(new Neighbour("bad", 100));
        opened.add(hang::release);
        bypass(SILENT);
        behaviour.accept(bad);
        Jmx.setAttribute("Expiry", "SweepIntervalMillis", 50);
        Jmx.eventually(() -> hang.thread.get() != null, "a sweep hangs");
        bypass(GOOD);
        isEndedBy("good", GOOD, 1);
        assertThat(hang.thread.get().isAlive()).as("it hangs still").isTrue();
        assertThat(names("QuarantinedPolicies")).containsExactly("bad");
        Jmx.eventually(() -> !notifications.of("policy.quarantined").isEmpty(), "the operator is told");
        assertThat(notifications.of("policy.quarantined")).singleElement().asString().startsWith("bad: ")
                .contains("did not return from a call for 2 s");
        assertThat(isLogged("is in quarantine because it did not return from a call for 2 s")).isTrue();
        bypass(GOOD + 1);
        assertThat(table.release(key(GOOD + 1)).join()).as("released while a sweep hangs").isPresent();

        hang.release();
        hang.thread.get().join(TimeUnit.SECONDS.toMillis(60));
        assertThat(hang.thread.get().isAlive()).as("what hung has come back").isFalse();
        assertThat(table.find(key(SILENT))).as("what it wanted to end").isPresent();
        bad.begin = sweep -> bad.test;
        bad.test = endsPort(MENDED);
        selectAll();
        bypass(MENDED);
        isEndedBy("bad", MENDED, 1);
        running.wasCutAndCounted();
    }

    // Listeners.

    @Test
    void aListenerThatThrowsGetsTheSameBatchAgain() {
        AtomicInteger calls = new AtomicInteger();
        List<List<String>> batches = new CopyOnWriteArrayList<>();
        List<FlowRecord> taken = new CopyOnWriteArrayList<>();
        listen(ended -> {
            batches.add(ended.stream().map(FlowRecord::id).toList());
            if (calls.incrementAndGet() == 1) {
                throw new IllegalStateException("disk full");
            }
            if (calls.get() == 2) {
                throw new NoClassDefFoundError("com/example/Disk");
            }
            taken.addAll(ended);
        });
        for (int flow = 0; flow < 3; flow++) {
            bypass(GOOD + flow);
            assertThat(table.release(key(GOOD + flow)).join()).isPresent();
        }
        Jmx.eventually(() -> records.ended().size() == 3, "another listener gets its records");
        Jmx.eventually(() -> taken.size() == 3, "it takes them in the end");
        assertThat(batches.get(1)).isEqualTo(batches.get(0));
        assertThat(batches.get(2)).isEqualTo(batches.get(0));
        assertThat(taken).isEqualTo(records.ended());
        assertThat(isLogged("listener itests-bad did not take")).isTrue();
        running.wasCutAndCounted();
    }

    @Test
    void aListenerThatBlocksKeepsNobodyElseWaiting() {
        CountDownLatch go = new CountDownLatch(1);
        List<FlowRecord> taken = new CopyOnWriteArrayList<>();
        listen(ended -> {
            try {
                go.await();
            } catch (InterruptedException left) {
                return;
            }
            taken.addAll(ended);
        });
        opened.add(go::countDown);
        for (int times = 1; times <= 3; times++) {
            bypass(GOOD);
            assertThat(sweeps.sweep()).as("flows that a policy ends").isEqualTo(1);
            isEndedBy("good", GOOD, times);
        }
        Jmx.eventually(() -> table.statistics().closingFlows() == 0, "slots are free again");
        running.awaitMoreTraffic();
        assertThat(taken).isEmpty();
        go.countDown();
        Jmx.eventually(() -> taken.size() == 3, "it gets what waited for it");
        assertThat(taken).isEqualTo(records.ended());
        running.wasCutAndCounted();
    }

    private void listen(FlowListener listener) {
        ServiceRegistration<FlowListener> registration = CONTEXT.registerService(FlowListener.class, listener,
                new Hashtable<>(Map.of(FlowListener.NAME, "itests-bad")));
        opened.add(registration::unregister);
    }

    // Configurations.

    @Test
    void aBadConfigurationInTheMiddleOfASweepChangesNothingAndTheSweepGoesOn() {
        // Fewer than a sweep looks at before it thinks of its budget.
        int flows = 200;
        for (int flow = 1; flow <= flows; flow++) {
            bypass(GOOD + flow);
        }
        opened.add(() -> Jmx.setAttribute(IDLE, "UdpSeconds", 60));
        opened.add(() -> Framework.configure("io.flowbypass.table", "never.cut", ""));
        good.test = flow -> flow.key().sourcePort() > GOOD ? END : Decision.KEEP;
        CountDownLatch go = new CountDownLatch(1);
        List<FlowKey> seen = new CopyOnWriteArrayList<>();
        Neighbour slow = open(new Neighbour("slow", 100));
        opened.add(go::countDown);
        slow.test = flow -> {
            seen.add(flow.key());
            // A policy that takes 2 s for one flow would be abandoned.
            await(go, 100);
            return Decision.KEEP;
        };
        int interval = 3_599_999;
        // A new interval begins with a sweep.
        Jmx.setAttribute("Expiry", "SweepIntervalMillis", interval);
        Jmx.eventually(() -> !seen.isEmpty(), "a sweep runs");

        Framework.configure("io.flowbypass.policy.idle", "udp.seconds", "soon");
        Framework.configure("io.flowbypass.expiry", "sweep.interval.millis", "5");
        Framework.configure("io.flowbypass.table", "never.cut", "nowhere");
        Jmx.eventually(() -> problem().contains("udp.seconds") && problem().contains("soon"), "the problem is said");
        Jmx.eventually(() -> isLogged("bad sweep.interval.millis") && isLogged("never-cut list stays as it was"),
                "the others' too");
        assertThat(Jmx.attribute(IDLE, "UdpSeconds")).isEqualTo(60);
        assertThat(Jmx.attribute("Expiry", "SweepIntervalMillis")).isEqualTo(interval);
        assertThat(table.isNeverCut(key(GOOD))).isFalse();
        assertThat(seen).as("flows that the sweep has seen").hasSizeLessThan(flows);

        go.countDown();
        Jmx.eventually(() -> Jmx.attribute("Expiry", "LastSweepExpired").equals(flows), "the sweep completes");
        assertThat(Jmx.attribute("Expiry", "LastSweepScanned")).isEqualTo(flows + 1);
        assertThat(seen).hasSize(flows + 1).doesNotHaveDuplicates();
        Jmx.eventually(() -> records.ended().size() == flows, "each flow that it ended has a record");
        assertThat(records.ended()).allMatch(record -> record.detail().equals("good"));
        assertThat(names("QuarantinedPolicies")).isEmpty();
        Jmx.setAttribute(IDLE, "UdpSeconds", 61);
        assertThat(problem()).isEmpty();
        running.wasCutAndCounted();
    }

    private static String problem() {
        return (String) Jmx.attribute(IDLE, "ConfigurationProblem");
    }

    private boolean isLogged(String what) {
        return log.lines().stream().anyMatch(line -> line.contains(what));
    }

    private static void await(CountDownLatch latch, long millis) {
        try {
            latch.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A call that does not return, nor listens to an interrupt, until the test lets it. */
    private static final class Hang {
        private final AtomicReference<Thread> thread = new AtomicReference<>();
        private final CountDownLatch released = new CountDownLatch(1);

        void untilReleased() {
            thread.set(Thread.currentThread());
            boolean hangs = true;
            while (hangs) {
                try {
                    released.await();
                    hangs = false;
                } catch (InterruptedException deaf) {
                    // It goes on.
                }
            }
        }

        void release() {
            released.countDown();
        }
    }

    /** A policy that does as it is told. */
    private static final class Neighbour implements ExpiryPolicy, AutoCloseable {
        private final String name;
        private final int ranking;
        private volatile FlowTest test = flow -> Decision.KEEP;
        private volatile Function<Sweep, FlowTest> begin = sweep -> test;
        private ServiceRegistration<ExpiryPolicy> registration;

        Neighbour(String name, int ranking) {
            this.name = name;
            this.ranking = ranking;
            register();
        }

        private Hashtable<String, Object> properties() {
            return new Hashtable<>(Map.of("flowbypass.policy.name", name, Constants.SERVICE_RANKING, ranking));
        }

        void register() {
            registration = CONTEXT.registerService(ExpiryPolicy.class, this, properties());
        }

        void reconfigure() {
            registration.setProperties(properties());
        }

        @Override
        public FlowTest begin(Sweep sweep) {
            return begin.apply(sweep);
        }

        @Override
        public void close() {
            registration.unregister();
        }
    }
}
