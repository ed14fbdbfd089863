// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import io.flowbypass.bench.internal.ClassicCutter.Design;
import io.flowbypass.expiry.Expiry;
import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.Decision;
import io.flowbypass.flow.FlowListener;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowSweeper;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.flow.FlowTest;
import io.flowbypass.flow.FlowView;
import io.flowbypass.flow.SweepResult;
import io.flowbypass.flow.TableStatistics;
import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.maps.MapService;
import io.flowbypass.policy.ExpiryPolicy;
import io.flowbypass.policy.Sweep;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;

/**
 * What it costs to look at every flow, and to take some out.
 *
 * <p><b>Looking</b>: a sweep of the table by the policy idle as it is shipped, and by the sample policy
 * ({@code itests/sample-policy}), which also asks for packets, so that it reads the cold part of each slot too; against C that
 * reads the same memory ({@code scan.c}), and against what a tool of the classic design does with a map of as many keys: a walk by
 * keys, and one in batches ({@code sweep.c}). Small tables are swept many times in a turn. The goals are those of the largest
 * table but one.
 *
 * <p><b>Taking out</b>: a part of the flows is idle for longer than it may. To decide is the sweep by a test that decides the same
 * and keeps all; to unlink, what the sweep that ends them takes longer; to harvest, from there until every record is made and
 * every slot is free.
 *
 * <p><b>All the time</b>: what the thread of expiry, with all policies as shipped and a sweep each second, takes of a CPU, and
 * what it allocates.
 */
@Component
public final class SweepScenario implements Scenario {
    private static final int[] FLOWS = {10_000, 100_000, 1_000_000};
    private static final int[] QUICK_FLOWS = {10_000, 100_000};
    private static final int MOST_FLOWS = 10_000_000;
    private static final int QUICK_MOST_FLOWS = 200_000;
    /** Of a slot and of a key of the classic design, with room to spare. */
    private static final long BYTES_PER_FLOW = 600;
    private static final int FLOWS_PER_TURN = 1_000_000;
    private static final int[] PERCENT = {0, 1, 10, 100};
    private static final String UNIT = "ns/flow";
    private static final double SCAN_LIMIT = 2;
    private static final double WALK_LIMIT = 1.0 / 50;
    private static final double GROWTH_LIMIT = 1.5;
    private static final double SHARE_LIMIT = 3;
    private static final Duration BUDGET = Duration.ofMinutes(1);
    private static final Duration LONG = Duration.ofDays(1);
    private static final Duration SHORT = Duration.ofMillis(1);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final long POLL_MILLIS = 2;
    private static final String SAMPLE = "com.example.small";
    /** Seconds after which the sample policy judges a flow. */
    private static final int SAMPLE_AGE = 1;
    private static final int SWEEPS = 10;
    private static final int QUICK_SWEEPS = 2;
    private static final String A_SECOND = "1000";
    private static final long HALF_A_SECOND = 500;
    private static final double NANOS_PER_PERCENT = 1e7;
    private static final double NANOS_PER_MILLI = 1e6;
    private static final String EXPIRY_THREAD = "flowbypass-expiry-\\d+";
    private static final String LISTENER = "bench";

    private final BundleContext context;
    private final MapService maps;
    private final Configurations configurations;
    private final ExpiryPolicy idle;
    private final Expiry expiry;
    /** Null while the table is replaced by another one. */
    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    private volatile FlowTable table;

    /** Uses the services. */
    @Activate
    public SweepScenario(BundleContext context, @Reference MapService maps, @Reference ConfigurationAdmin configurations,
            @Reference(target = "(flowbypass.policy.name=idle)") ExpiryPolicy idle, @Reference Expiry expiry) {
        this.context = context;
        this.maps = maps;
        this.configurations = new Configurations(configurations);
        this.idle = idle;
        this.expiry = expiry;
    }

    private record Begun(long nowNanos, int activeFlows, int capacity) implements Sweep {
    }

    /** Decides as another one, and keeps all. */
    private static final class Keeping implements FlowTest {
        private final FlowTest test;
        private long ends;

        Keeping(FlowTest test) {
            this.test = test;
        }

        @Override
        public Decision decide(FlowView flow) {
            if (test.decide(flow).ends()) {
                ends++;
            }
            return Decision.KEEP;
        }
    }

    @Override
    public String name() {
        return "sweep";
    }

    @Override
    public void run(Run run) throws IOException, InterruptedException {
        // The only sweeps are to be those that are measured, and no flow is to end by the sample policy.
        List<String> before = expiry.activePolicies();
        expiry.selectPolicies(before);
        Object interval = configurations.set(Configurations.EXPIRY, Configurations.INTERVAL, Configurations.AN_HOUR);
        Configuration ofSample = configurations.admin().getConfiguration(SAMPLE, "?");
        ofSample.update(new Hashtable<>(Map.of("age.seconds", SAMPLE_AGE)));
        Bundle sample = install(run);
        try {
            measure(run, sample);
        } finally {
            uninstall(sample);
            ofSample.delete();
            configurations.set(Configurations.EXPIRY, Configurations.INTERVAL, interval);
            expiry.selectPolicies(List.of());
        }
    }

    private Bundle install(Run run) throws IOException {
        try {
            Bundle sample = context.installBundle(run.built(SAMPLE + ".jar").toUri().toString());
            sample.start();
            return sample;
        } catch (BundleException e) {
            throw new IOException("The sample policy cannot be installed: " + e.getMessage(), e);
        }
    }

    private static void uninstall(Bundle sample) throws IOException {
        try {
            sample.uninstall();
        } catch (BundleException e) {
            throw new IOException("The sample policy cannot be uninstalled: " + e.getMessage(), e);
        }
    }

    private void measure(Run run, Bundle sample) throws IOException, InterruptedException {
        ServiceReference<ExpiryPolicy> reference = reference(sample);
        ExpiryPolicy small = context.getService(reference);
        Map<Integer, Figure> byFlows = new HashMap<>();
        int[] steps = run.quick() ? QUICK_FLOWS : FLOWS;
        int flows = run.size("flows", FLOWS[FLOWS.length - 1], QUICK_FLOWS[QUICK_FLOWS.length - 1]);
        int there = 0;
        for (int step : steps) {
            fill(there, step, 0);
            there = step;
            byFlows.put(step, look(run, run.pins(), small, step, step == flows));
        }
        steadyState(run, flows);
        takeOut(run, flows);
        clear();
        int most = run.quick() ? QUICK_MOST_FLOWS : mostFlows();
        if (most > flows) {
            run.size("most flows", most, most);
            try (OtherTable other = new OtherTable(run, context, configurations, most)) {
                await();
                fill(0, most, 0);
                byFlows.put(most, look(run, other.pins(), small, most, false));
            }
            await();
            int from = steps[steps.length - 2];
            run.compare("idle, a flow of " + number(most) + " to one of " + number(from), byFlows.get(most), byFlows.get(from),
                    GROWTH_LIMIT);
        } else {
            run.say("sweep: this machine has no memory for more than " + flows + " flows.");
        }
        context.ungetService(reference);
    }

    private ServiceReference<ExpiryPolicy> reference(Bundle sample) throws IOException {
        try {
            return context.getServiceReferences(ExpiryPolicy.class, "(service.bundleid=" + sample.getBundleId() + ")")
                    .stream().findFirst().orElseThrow(() -> new IOException("The sample policy is not there."));
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** As many as there is memory for, a half of it left free. */
    private static int mostFlows() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/meminfo"))) {
            long free = lines.filter(line -> line.startsWith("MemAvailable:")).findFirst()
                    .map(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024).orElse(0L);
            return (int) Math.min(MOST_FLOWS, free / 2 / BYTES_PER_FLOW);
        }
    }

    private static String number(int number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    private FlowTable table() {
        FlowTable now = table;
        if (now == null) {
            throw new IllegalStateException("Flowbypass is wrong: its table has gone.");
        }
        return now;
    }

    /** Until the table is there, and it is known what is never cut. */
    private void await() throws IOException, InterruptedException {
        long begun = System.nanoTime();
        while (table == null) {
            if (System.nanoTime() - begun > PATIENCE.toNanos()) {
                throw new IOException("Flowbypass is wrong: its table is not there " + PATIENCE.toSeconds()
                        + " s after its restart.");
            }
            Thread.sleep(POLL_MILLIS);
        }
    }

    /** Bypasses flows, of which so many percent are idle for too long at once. */
    private void fill(int from, int to, int percent) {
        FlowTable now = table();
        for (int i = from; i < to; i++) {
            now.bypass(BypassRequest.of(Family.IPV4.key(PacketScenario.FIRST_IN + i))
                    .withIdleTimeout(i % 100 < percent ? SHORT : LONG));
        }
    }

    private void clear() throws IOException, InterruptedException {
        table().flush();
        awaitFree();
    }

    private void awaitFree() throws IOException, InterruptedException {
        long begun = System.nanoTime();
        for (TableStatistics now = table().statistics(); now.closingFlows() > 0; now = table().statistics()) {
            if (System.nanoTime() - begun > PATIENCE.toNanos()) {
                throw new IOException("Flowbypass is wrong: " + now.closingFlows() + " flows have ended, and are still in its table "
                        + PATIENCE.toSeconds() + " s later.");
            }
            Thread.sleep(POLL_MILLIS);
        }
    }

    private FlowTest begin(ExpiryPolicy policy, int flows) {
        return policy.begin(new Begun(System.nanoTime(), flows, flows));
    }

    /** Nanoseconds of a sweep, which must have looked at all flows. */
    private long sweep(FlowTest test, int flows, long ended) throws IOException {
        FlowSweeper sweeper = (FlowSweeper) table();
        long begun = System.nanoTime();
        SweepResult result = sweeper.sweep(test, BUDGET);
        long took = System.nanoTime() - begun;
        if (result.scanned() != flows || result.ended() != ended || !result.complete()) {
            throw new IOException(String.format("Flowbypass is wrong: of %,d flows a sweep had to end %,d, and was %s.", flows,
                    ended, result));
        }
        return took;
    }

    // All the time.

    private void steadyState(Run run, int flows) throws IOException, InterruptedException {
        int sweeps = run.size("sweeps all the time", SWEEPS, QUICK_SWEEPS);
        run.say("Measuring sweep: " + sweeps + " of them, one each second, as shipped ...");
        List<Double> shares = new ArrayList<>();
        List<Double> allocated = new ArrayList<>();
        configurations.set(Configurations.EXPIRY, Configurations.INTERVAL, A_SECOND);
        try {
            awaitSweep();
            SpentByThread before = SpentByThread.of(EXPIRY_THREAD);
            for (int i = 0; i < sweeps; i++) {
                awaitSweep();
                SpentByThread after = SpentByThread.of(EXPIRY_THREAD);
                shares.add((after.nanos() - before.nanos()) / NANOS_PER_PERCENT);
                allocated.add((double) after.allocated() - before.allocated());
                before = after;
            }
        } finally {
            configurations.set(Configurations.EXPIRY, Configurations.INTERVAL, Configurations.AN_HOUR);
        }
        if (expiry.lastSweepScanned() != flows) {
            throw new IOException("Flowbypass is wrong: a sweep saw " + expiry.lastSweepScanned() + " of " + flows + " flows.");
        }
        run.limit(run.count("all the time: of one CPU", "%", shares), SHARE_LIMIT);
        run.limit(run.count("all the time: allocated by a sweep", "bytes", allocated), 0);
    }

    /** Until one has begun, and ended. */
    private void awaitSweep() throws IOException, InterruptedException {
        long sweeps = expiry.sweeps();
        long begun = System.nanoTime();
        while (expiry.sweeps() == sweeps) {
            if (System.nanoTime() - begun > PATIENCE.toNanos()) {
                throw new IOException("Flowbypass is wrong: it does not sweep.");
            }
            Thread.sleep(POLL_MILLIS);
        }
        Thread.sleep(HALF_A_SECOND);
    }

    // Taking out.

    /** Notes when it has taken so many records. */
    private static final class Taker implements FlowListener {
        private int missing;
        private long lastTaken;

        synchronized void expect(int records) {
            missing = records;
        }

        @Override
        public synchronized void ended(List<FlowRecord> records) {
            missing -= records.size();
            lastTaken = System.nanoTime();
            notifyAll();
        }

        synchronized long await() throws IOException, InterruptedException {
            long begun = System.nanoTime();
            while (missing > 0) {
                if (System.nanoTime() - begun > PATIENCE.toNanos()) {
                    throw new IOException("Flowbypass is wrong: " + missing + " records are missing " + PATIENCE.toSeconds()
                            + " s after their flows' end.");
                }
                wait(PATIENCE.toMillis());
            }
            return lastTaken;
        }
    }

    private void takeOut(Run run, int flows) throws IOException, InterruptedException {
        Taker taker = new Taker();
        // A queue has no limit for a durable listener only.
        Object before = configurations.set("io.flowbypass.table", "durable.listeners", LISTENER);
        ServiceRegistration<FlowListener> registration = context.registerService(FlowListener.class, taker,
                new Hashtable<>(Map.of(FlowListener.NAME, LISTENER)));
        try {
            for (int percent : PERCENT) {
                clear();
                takeOut(run, flows, percent, taker);
            }
        } finally {
            configurations.set("io.flowbypass.table", "durable.listeners", before);
            registration.unregister();
        }
    }

    private void takeOut(Run run, int flows, int percent, Taker taker) throws IOException, InterruptedException {
        String of = percent + " % of " + number(flows) + " expired: ";
        int ends = flows / 100 * percent;
        long[] decided = {0};
        long[] swept = {0};
        Contestant decide = new Contestant(of + "decide", () -> {
            awaitFree();
            fill(0, flows, percent);
            Thread.sleep(2 * SHORT.toMillis());
            Keeping keeping = new Keeping(begin(idle, flows));
            decided[0] = sweep(keeping, flows, 0);
            if (keeping.ends != ends) {
                throw new IOException("Flowbypass is wrong: of " + ends + " idle flows it would end " + keeping.ends + ".");
            }
            return decided[0] / NANOS_PER_MILLI;
        });
        if (percent == 0) {
            run.alternate("ms", decide);
            return;
        }
        run.alternate("ms", decide, new Contestant(of + "unlink", () -> {
            taker.expect(ends);
            long took = sweep(begin(idle, flows), flows, ends);
            swept[0] = System.nanoTime();
            return Math.max(0, took - decided[0]) / NANOS_PER_MILLI;
        }), new Contestant(of + "harvest", () -> (taker.await() - swept[0]) / NANOS_PER_MILLI));
    }

    // Looking.

    private Figure look(Run run, Path pins, ExpiryPolicy small, int flows, boolean withGoals)
            throws IOException, InterruptedException {
        Thread.sleep(TimeUnit.SECONDS.toMillis(SAMPLE_AGE));
        String of = number(flows) + " flows: ";
        int rounds = Math.max(1, FLOWS_PER_TURN / flows);
        try (Descriptor records = Bpf.open(pins.resolve("records")); Descriptor info = Bpf.open(pins.resolve("info"));
                Program scan = run.program("scan", Bpf.describeMap(records.number()).id(), Bpf.describeMap(info.number()).id());
                ClassicCutter classic = ClassicCutter.load(run, maps, Design.PER_CPU, flows);
                Program fill = run.program("churn", classic.map(Family.IPV4).info().id(), flows, ToolTable.BLOCK, 1);
                Program walk = run.program("sweep", classic.map(Family.IPV4).info().id(), ToolTable.BLOCK)) {
            fill.ask("fill");
            List<Figure> figures = run.alternate(UNIT,
                    new Contestant(of + "idle", () -> average(rounds, flows, () -> sweep(begin(idle, flows), flows, 0))),
                    new Contestant(of + "sample", () -> average(rounds, flows, () -> sweepBySample(small, flows))),
                    new Contestant(of + "C scan of what idle reads",
                            () -> average(rounds, flows, () -> inC(scan, "hot " + flows, flows))),
                    new Contestant(of + "C scan of what sample reads",
                            () -> average(rounds, flows, () -> inC(scan, "cold " + flows, flows))));
            // A turn of the largest ones takes long, and they have no goals.
            List<Figure> classics = !pins.equals(run.pins())
                    ? List.of(run.count(of + "C walk by keys", UNIT, (double) inC(walk, "walk", flows) / flows),
                            run.count(of + "C walk in batches", UNIT, (double) inC(walk, "batch", flows) / flows))
                    : run.alternate(UNIT, new Contestant(of + "C walk by keys", () -> (double) inC(walk, "walk", flows) / flows),
                            new Contestant(of + "C walk in batches", () -> (double) inC(walk, "batch", flows) / flows));
            for (int policy = 0; policy < 2; policy++) {
                String name = of + (policy == 0 ? "idle" : "sample");
                compare(run, name + ", to C scan", figures.get(policy), figures.get(policy + 2), withGoals ? SCAN_LIMIT : 0);
                compare(run, name + ", to C walk by keys", figures.get(policy), classics.get(0), withGoals ? WALK_LIMIT : 0);
                compare(run, name + ", to C walk in batches", figures.get(policy), classics.get(1), 0);
            }
            return figures.get(0);
        }
    }

    private static void compare(Run run, String name, Figure ours, Figure other, double limit) {
        if (limit > 0) {
            run.compare(name, ours, other, limit);
        } else {
            run.compare(name, ours, other);
        }
    }

    /** It would end all, since they have no packets: what it has looked at is seen by that. */
    private long sweepBySample(ExpiryPolicy small, int flows) throws IOException {
        Keeping keeping = new Keeping(begin(small, flows));
        long took = sweep(keeping, flows, 0);
        if (keeping.ends != flows) {
            throw new IOException("The sample policy is wrong: of " + flows + " flows without packets it would end " + keeping.ends
                    + ".");
        }
        return took;
    }

    /** Something that takes nanoseconds. */
    private interface Timed {
        long nanos() throws IOException, InterruptedException;
    }

    private static double average(int rounds, int flows, Timed job) throws IOException, InterruptedException {
        long sum = 0;
        for (int i = 0; i < rounds; i++) {
            sum += job.nanos();
        }
        return (double) sum / rounds / flows;
    }

    private static long inC(Program program, String job, int flows) throws IOException, InterruptedException {
        long[] answer = Stream.of(program.ask(job).split(" ")).mapToLong(Long::parseUnsignedLong).toArray();
        if (answer[1] != flows) {
            throw new IOException(String.format("A program is wrong: asked to %s, it saw %,d flows where there are %,d.", job,
                    answer[1], flows));
        }
        return answer[0];
    }
}
