// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests;

import static io.flowbypass.itests.lab.Frame.ethernet;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowListener;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowState;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.flow.TableFullException;
import io.flowbypass.flow.TableStatistics;
import io.flowbypass.itests.lab.Framework;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.Notifications;
import io.flowbypass.itests.lab.Product;
import io.flowbypass.itests.lab.Services;
import io.flowbypass.itests.lab.SweepsByHand;
import io.flowbypass.itests.lab.Traffic;
import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.libbpf.MappedMemory;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.Codec;
import io.flowbypass.maps.ElementQueue;
import io.flowbypass.maps.MapService;
import io.flowbypass.xdp.CutoffOutcome;
import io.flowbypass.xdp.DataPlane;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceRegistration;

/** Whatever runs full: what does not fit is refused or counted, and what was taken is counted exactly. */
class FullTest {
    private static final BundleContext CONTEXT = FrameworkUtil.getBundle(FullTest.class).getBundleContext();
    private static final int UDP = 17;
    private static final int TCP = 6;
    private static final int ACK = 16;
    private static final int XDP_DROP = 1;
    /** Of src/main/etc. */
    private static final int CAPACITY = 1024;
    /** Of a listener's queue, in records. */
    private static final int QUEUE = 100_000;
    /** Of {@code bpf/maps.h}. */
    private static final int RING_BYTES = 64 * 1024;
    private static final String LISTENER = "itests-listener";

    private final List<AutoCloseable> opened = new ArrayList<>();
    private FlowTable table;
    private int program;
    private Notifications ofTable;
    private Notifications ofExpiry;

    @BeforeEach
    void build() {
        Lab lab = open(new Lab());
        Product product = open(new Product());
        // Test runs in a row cost a grace period each, unless the program runs on an interface anyway.
        product.attach(lab.cableA(), "native");
        open(new SweepsByHand());
        program = open(Bpf.open(Path.of(Product.PIN_ROOT, "program"))).number();
        table = Services.waitFor(FlowTable.class);
        ofTable = open(new Notifications("FlowTable"));
        ofExpiry = open(new Notifications("Expiry"));
        Jmx.eventually(() -> table.statistics().closingFlows() == 0, "an earlier test's flows are gone");
        awaitReserveBack();
        assertThat(table.statistics().capacity()).isEqualTo(CAPACITY);
    }

    /** No slot is lent to XDP any more. */
    private static void awaitReserveBack() {
        try (BpfMap reserve = Services.waitFor(MapService.class).open(Path.of(Product.PIN_ROOT, "reserve"))) {
            ElementQueue<Integer> queue = reserve.queue(Codec.INT);
            Jmx.eventually(() -> queue.peek().isEmpty(), "an earlier test's reserve is taken back");
        }
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

    private static FlowKey key(int number) {
        return FlowKey.of(UDP, "198.51.100.1", 1000 + number, "198.51.100.2", 53);
    }

    private Traffic traffic(int flows) {
        return new Traffic(program, IntStream.range(0, flows).mapToObj(FullTest::key).toList());
    }

    private void bypassAll(int flows) {
        for (int flow = 0; flow < flows; flow++) {
            assertThat(table.bypass(BypassRequest.of(key(flow)))).isTrue();
        }
    }

    /** As many packets that are cut in each direction of each flow as nobody would count by mistake. */
    private static void send(Traffic traffic, int flows) {
        for (int flow = 0; flow < flows; flow++) {
            assertThat(traffic.send(flow, 0, 1 + flow % 7)).as("%s is cut", traffic.key(flow)).isTrue();
            assertThat(traffic.send(flow, 1, 1 + flow % 5)).as("%s is cut", traffic.key(flow)).isTrue();
        }
    }

    private static void isRefused(Runnable bypass, String why) {
        assertThatThrownBy(bypass::run).isInstanceOf(IllegalStateException.class)
                .hasMessageStartingWith("table full: " + CAPACITY + " of " + CAPACITY + " flows").hasMessageContaining(why);
    }

    private void everyFlowHasOneRecordThatCountsWhatWasSent(Traffic traffic, int flows, List<FlowRecord> records) {
        assertThat(records.stream().map(FlowRecord::id)).doesNotHaveDuplicates();
        Map<FlowKey, List<FlowState>> byKey = records.stream().map(FlowRecord::flow)
                .collect(Collectors.groupingBy(FlowState::key));
        assertThat(byKey).hasSize(flows);
        for (int flow = 0; flow < flows; flow++) {
            assertThat(byKey.get(traffic.key(flow))).as(traffic.key(flow).toString()).hasSize(1);
            assertThat(traffic.counted(flow, byKey.get(traffic.key(flow)))).isEqualTo(traffic.expected(flow));
        }
        assertThat(table.statistics().unaccountedPackets()).isZero();
    }

    @Test
    void aFullTableRefusesTheNextFlowAndSaysSoAndLosesNothing() {
        Listener listener = open(new Listener());
        listener.go();
        TableStatistics before = table.statistics();
        Traffic traffic = traffic(CAPACITY + 1);
        bypassAll(CAPACITY);
        send(traffic, CAPACITY);
        assertThat(ofExpiry.of("table.pressure")).as("no sweep has seen it, and nothing was refused").isEmpty();

        isRefused(() -> table.bypass(BypassRequest.of(key(CAPACITY))), "raise capacity");
        isRefused(() -> Jmx.invoke("FlowTable", "bypass", "UDP", "203.0.113.1", 1, "203.0.113.2", 2), "raise capacity");
        assertThat(table.bypass(BypassRequest.of(key(0)))).as("what is bypassed already is not refused").isFalse();
        assertThat(traffic.send(CAPACITY, 0, 1)).as("the refused flow is cut").isFalse();
        Jmx.eventually(() -> Jmx.attribute("FlowTable", "RefusedBypasses").equals(before.refusedBypasses() + 2),
                "both refusals are counted");
        Jmx.eventually(() -> !ofExpiry.of("table.pressure").isEmpty(), "the operator is told, without a sweep");
        assertThat(ofExpiry.of("table.pressure").get(0)).contains(CAPACITY + " of " + CAPACITY + " flows");
        send(traffic, CAPACITY);

        assertThat(table.release(key(CAPACITY - 1)).join()).isPresent();
        Jmx.eventually(() -> tryToBypass(key(CAPACITY)), "one that left makes room for one");
        assertThat(traffic.send(CAPACITY, 0, 3)).as("the refused flow is cut by now").isTrue();
        isRefused(() -> table.bypass(BypassRequest.of(key(CAPACITY - 1))), "");
        assertThat(table.flush()).isEqualTo(CAPACITY);
        Jmx.eventually(() -> listener.taken().size() == CAPACITY + 1, "each has a record");
        everyFlowHasOneRecordThatCountsWhatWasSent(traffic, CAPACITY + 1, listener.taken());
        TableStatistics after = table.statistics();
        assertThat(after.flowsAdded() - before.flowsAdded()).isEqualTo(CAPACITY + 1);
        assertThat(after.flowsEnded() - before.flowsEnded()).isEqualTo(CAPACITY + 1);
        assertThat(ofExpiry.of("table.pressure")).as("told once").hasSize(1);
    }

    private boolean tryToBypass(FlowKey key) {
        try {
            return table.bypass(BypassRequest.of(key));
        } catch (TableFullException full) {
            return false;
        }
    }

    @Test
    void aDurableListenerThatBlocksFillsTheTableIsNamedAndGetsEachRecordOnceWhenItGoesOn() {
        Listener blocked = open(new Listener());
        setDurable(LISTENER);
        opened.add(() -> setDurable(""));
        opened.add(blocked::go);
        holdsSlotsFrom(CAPACITY - 1);
        Traffic traffic = traffic(CAPACITY);
        bypassAll(CAPACITY - 1);
        send(traffic, CAPACITY - 1);
        assertThat(table.flush()).isEqualTo(CAPACITY - 1);
        Jmx.eventually(() -> Jmx.attribute("FlowTable", "Occupancy").equals(100.0), "ended flows keep their slots");
        assertThat(Jmx.attribute("FlowTable", "ActiveFlows")).isEqualTo(0);

        isRefused(() -> table.bypass(BypassRequest.of(key(0))), CAPACITY + " of which have ended");
        assertThat(traffic.send(0, 0, 1)).as("a flow that has ended is cut").isFalse();
        Jmx.eventually(() -> !ofTable.of("listener.stuck").isEmpty(), "the operator is told who holds the slots");
        assertThat(ofTable.of("listener.stuck").get(0)).contains("listener " + LISTENER + " takes no records")
                .contains("durable.listeners");
        Jmx.eventually(() -> !ofExpiry.of("table.pressure").isEmpty(), "and that bypasses are refused, which no sweep sees");
        assertThat(blocked.taken()).isEmpty();

        blocked.go();
        Jmx.eventually(() -> table.statistics().closingFlows() == 0, "it takes what waits for it");
        List<FlowRecord> taken = blocked.taken().stream()
                .filter(record -> !record.flow().key().equals(key(CAPACITY - 1))).toList();
        everyFlowHasOneRecordThatCountsWhatWasSent(traffic, CAPACITY - 1, taken);
        assertThat(ofTable.of("listener.stuck")).as("told once").hasSize(1);
        assertThat(table.bypass(BypassRequest.of(key(0)))).isTrue();
    }

    /** Until the table keeps the slot of a flow that has ended; one that nobody holds is free when a release is answered. */
    private void holdsSlotsFrom(int probe) {
        Jmx.eventually(() -> {
            table.bypass(BypassRequest.of(key(probe)));
            table.release(key(probe)).join();
            return table.statistics().closingFlows() == 1;
        }, "the listener is durable");
    }

    private static void setDurable(String names) {
        Framework.configure("io.flowbypass.table", "durable.listeners", names);
    }

    @Test
    void aListenerThatIsNotDurableLosesItsNewestRecordsAndNobodyElseDoesAndTheyAreCounted() {
        Listener blocked = open(new Listener());
        Listener other = open(new Listener("itests-other"));
        other.go();
        opened.add(blocked::go);
        TableStatistics before = table.statistics();
        Traffic traffic = traffic(CAPACITY);
        int bypasses = 0;
        while (bypasses < QUEUE + 5 * CAPACITY) {
            bypassAll(CAPACITY);
            bypasses += CAPACITY;
            int talking = bypasses / CAPACITY;
            assertThat(traffic.send(talking, talking % 2, talking)).isTrue();
            assertThat(table.flush()).isEqualTo(CAPACITY);
            Jmx.eventually(() -> table.statistics().closingFlows() == 0, "who holds no slots keeps none");
        }
        int ended = bypasses;
        Jmx.eventually(() -> other.taken().size() == ended, "the other listener gets each record");
        long lost = table.statistics().undeliveredRecords() - before.undeliveredRecords();
        assertThat(lost).isBetween(5L * CAPACITY, 6L * CAPACITY);
        assertThat(Jmx.attribute("FlowTable", "UndeliveredRecords")).isEqualTo(before.undeliveredRecords() + lost);

        blocked.go();
        Jmx.eventually(() -> blocked.taken().size() == ended - lost, "it gets all the others");
        assertThat(ids(blocked.taken().subList(0, QUEUE - CAPACITY))).as("the oldest ones")
                .isEqualTo(ids(other.taken().subList(0, QUEUE - CAPACITY)));
        Set<String> all = new HashSet<>(ids(other.taken()));
        assertThat(all).as("records").hasSize(ended);
        assertThat(ids(blocked.taken())).doesNotHaveDuplicates().allMatch(all::contains);
        Map<FlowKey, List<FlowState>> byKey = other.taken().stream().map(FlowRecord::flow)
                .collect(Collectors.groupingBy(FlowState::key));
        for (int flow = 0; flow < CAPACITY; flow++) {
            assertThat(traffic.counted(flow, byKey.get(key(flow)))).isEqualTo(traffic.expected(flow));
        }
        assertThat(table.statistics().unaccountedPackets()).isZero();
    }

    private static List<String> ids(List<FlowRecord> records) {
        return records.stream().map(FlowRecord::id).toList();
    }

    /**
     * While user space stands still, the ring cannot run full: it has room for four times the reserve. It can where only its
     * reader has ended, as it does when it fails, and housekeeping lends new slots.
     */
    @Test
    void aRingThatTakesNoNoticeDelaysThatFlowsAreCountedAndLosesNone() throws Exception {
        Listener listener = open(new Listener());
        listener.go();
        DataPlane dataPlane = Services.waitFor(DataPlane.class);
        dataPlane.setCutoffPackets(10);
        dataPlane.setCutoffBytes(0);
        opened.add(() -> dataPlane.setCutoffEnabled(false));
        dataPlane.setCutoffEnabled(true);
        long added = table.statistics().flowsAdded();
        long done = dataPlane.cutoffs().get(CutoffOutcome.DONE);
        int flows = 3 * CAPACITY / 16;
        try (Ring ring = new Ring()) {
            opened.add(FullTest::restartTable);
            endReader();
            ring.fill();
            long written = ring.written();
            for (int flow = 0; flow < flows; flow++) {
                int port = 2000 + flow;
                Jmx.eventually(() -> isCutOff(port), "flow " + port + " is cut off");
            }
            assertThat(ring.written()).as("what the ring took").isEqualTo(written);
            assertThat(dataPlane.cutoffs().get(CutoffOutcome.DONE) - done).isEqualTo(flows);
            Jmx.eventually(() -> Jmx.attribute("FlowTable", "ActiveFlows").equals(flows), "housekeeping finds all of them");
            assertThat(table.statistics().flowsAdded() - added).isEqualTo(flows);
            assertThat(table.flush()).isEqualTo(flows);
            Jmx.eventually(() -> listener.taken().size() == flows, "each has a record");
            assertThat(listener.taken()).allSatisfy(record -> assertThat(record.flow().packets()).isEqualTo(1));
            assertThat(ids(listener.taken())).doesNotHaveDuplicates();
            assertThat(table.statistics().unaccountedPackets()).isZero();

            restartTable();
            opened.remove(opened.size() - 1);
            Jmx.eventually(() -> ring.unread() == 0, "the next reader reads what the ring holds");
            Jmx.eventually(() -> isCutOff(2000), "and XDP goes on");
            Jmx.eventually(() -> Jmx.attribute("FlowTable", "ActiveFlows").equals(1), "one flow is active");
        }
    }

    /** Sends packets of a flow, which pass the threshold, until one is cut, and only that one. */
    private boolean isCutOff(int port) {
        byte[] there = ethernet().ipv4("198.51.100.1", "203.0.113.2", TCP).tcp(port, 443, ACK).bytes();
        byte[] back = ethernet().ipv4("203.0.113.2", "198.51.100.1", TCP).tcp(443, port, ACK).bytes();
        if (Bpf.testRun(program, back, 1).result() == XDP_DROP) {
            return true;
        }
        for (int sent = 0; sent < 9; sent++) {
            if (Bpf.testRun(program, there, 1).result() == XDP_DROP) {
                return true;
            }
        }
        return false;
    }

    private static void endReader() throws InterruptedException {
        Thread[] threads = new Thread[Thread.activeCount() + 100];
        int count = Thread.enumerate(threads);
        Thread reader = Arrays.stream(threads, 0, count).filter(thread -> thread.getName().equals("flowbypass-cutoffs"))
                .findFirst().orElseThrow();
        reader.interrupt();
        reader.join(TimeUnit.SECONDS.toMillis(30));
        assertThat(reader.isAlive()).as("the reader of notices runs").isFalse();
    }

    private static void restartTable() {
        Framework.restart("io.flowbypass.table");
    }

    /** The positions of the ring of notices, in the memory that the kernel shows of it. */
    private static final class Ring implements AutoCloseable {
        private final Descriptor map = Bpf.open(Path.of(Product.PIN_ROOT, "events"));
        private final MappedMemory consumer = Bpf.map(map.number(), 0, Bpf.pageSize(), true);
        private final MappedMemory producer = Bpf.map(map.number(), Bpf.pageSize(), Bpf.pageSize(), false);

        long written() {
            return producer.buffer().getLong(0);
        }

        long unread() {
            return written() - consumer.buffer().getLong(0);
        }

        /** Makes what was read unread. */
        void fill() {
            consumer.buffer().putLong(0, written() - RING_BYTES);
        }

        @Override
        public void close() {
            consumer.close();
            producer.close();
            map.close();
        }
    }

    /** A listener that blocks with its first batch until it is told to go. */
    private static final class Listener implements FlowListener, AutoCloseable {
        private final CountDownLatch go = new CountDownLatch(1);
        private final List<FlowRecord> taken = new ArrayList<>();
        private final ServiceRegistration<FlowListener> registration;

        Listener() {
            this(LISTENER);
        }

        Listener(String name) {
            registration = CONTEXT.registerService(FlowListener.class, this,
                    new Hashtable<>(Map.of(FlowListener.NAME, name)));
        }

        @Override
        public void ended(List<FlowRecord> records) {
            try {
                go.await();
            } catch (InterruptedException left) {
                throw new IllegalStateException(left);
            }
            synchronized (taken) {
                taken.addAll(records);
            }
        }

        List<FlowRecord> taken() {
            synchronized (taken) {
                return List.copyOf(taken);
            }
        }

        void go() {
            go.countDown();
        }

        @Override
        public void close() {
            registration.unregister();
        }
    }
}
