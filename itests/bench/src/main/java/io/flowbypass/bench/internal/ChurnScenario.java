// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import io.flowbypass.bench.internal.ClassicCutter.Design;
import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.MapService;
import io.flowbypass.xdp.DataPlane;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * How fast flows come and go, and what memory one takes; against what a tool of the classic design does with a map of the same
 * flows, two keys each, in blocks ({@code churn.c}).
 *
 * <p>A bypass makes no system call, so there is no call for many at once, and none is needed: many are a loop. What a single one
 * took is from the end of the one before to its own, its request made meanwhile. A release is measured as a call, and up to the
 * record of the last flow.
 */
@Component
public final class ChurnScenario implements Scenario {
    private static final int FLOWS = 250_000;
    private static final int QUICK_FLOWS = 50_000;
    private static final String UNIT = "ns/flow";
    private static final double BULK_LIMIT = 0.5;
    private static final double P50_LIMIT = 1500;
    private static final double P99_LIMIT = 10_000;
    private static final double MEMORY_LIMIT = 320;
    private static final int KEYS_PER_FLOW = 2;

    private final MapService maps;
    private final FlowTable table;
    private final DataPlane dataPlane;

    /** Uses the services. */
    @Activate
    public ChurnScenario(@Reference MapService maps, @Reference FlowTable table, @Reference DataPlane dataPlane) {
        this.maps = maps;
        this.table = table;
        this.dataPlane = dataPlane;
    }

    @Override
    public String name() {
        return "churn";
    }

    @Override
    public void run(Run run) throws IOException, InterruptedException {
        int flows = run.size("flows", FLOWS, QUICK_FLOWS);
        int cpus = Runtime.getRuntime().availableProcessors();
        int threads = run.size("threads", cpus, cpus);
        FlowKey[] keys = IntStream.range(0, flows).mapToObj(i -> Family.IPV4.key(PacketScenario.FIRST_IN + i))
                .toArray(FlowKey[]::new);
        try (ProductCutter product = new ProductCutter(run, table);
                ClassicCutter classic = ClassicCutter.load(run, maps, Design.PER_CPU, flows * KEYS_PER_FLOW);
                Program c = run.program("churn", classic.map(Family.IPV4).info().id(), flows, ToolTable.BLOCK, KEYS_PER_FLOW)) {
            product.clear();
            Churn alone = new Churn(table, product, keys, 1);
            Churn together = new Churn(table, product, keys, threads);
            List<Contestant> contestants = new ArrayList<>(alone.contestants("1 thread"));
            if (threads > 1) {
                contestants.addAll(together.contestants(threads + " threads"));
            }
            contestants.add(new Contestant("bypass again, for the flush", () -> alone.bypass()));
            contestants.add(new Contestant("release all at once", () -> {
                long begun = System.nanoTime();
                int released = table.flush();
                long took = System.nanoTime() - begun;
                return perFlow(took, flows, released);
            }));
            contestants.add(new Contestant("C update_batch, two keys", () -> inC(c, "fill", flows)));
            contestants.add(new Contestant("C delete_batch, two keys", () -> inC(c, "empty", flows)));
            List<Figure> figures = run.alternate(UNIT, contestants.toArray(Contestant[]::new));
            Figure fill = figures.get(figures.size() - 2);
            run.compare("bypass, to C update_batch", figures.get(0), fill, BULK_LIMIT);
            run.compare("release, to C delete_batch", figures.get(1), figures.get(figures.size() - 1));
            alone.noteLatencies(run, "1 thread", true);
            if (threads > 1) {
                run.compare("bypass with " + threads + " threads, to C update_batch", figures.get(3), fill);
                together.noteLatencies(run, threads + " threads", false);
            }
            measureMemory(run, product, classic, flows);
        }
    }

    private static double inC(Program c, String job, int flows) throws IOException, InterruptedException {
        long[] answer = Stream.of(c.ask(job).split(" ")).mapToLong(Long::parseLong).toArray();
        return perFlow(answer[0], flows, answer[1] / KEYS_PER_FLOW);
    }

    private static double perFlow(long nanos, int flows, long done) throws IOException {
        if (done != flows) {
            throw new IOException("The bench is wrong: " + done + " flows came or went where there are " + flows + ".");
        }
        return (double) nanos / flows;
    }

    /** Flows that come and go, by some threads. */
    private static final class Churn {
        private final FlowTable table;
        private final ProductCutter product;
        private final FlowKey[] keys;
        private final int threads;
        private final List<CompletableFuture<Optional<FlowRecord>>> records;
        private final List<Histogram> bypasses = new ArrayList<>();
        private final List<Histogram> releases = new ArrayList<>();
        private long released;

        Churn(FlowTable table, ProductCutter product, FlowKey[] keys, int threads) {
            this.table = table;
            this.product = product;
            this.keys = keys;
            this.threads = threads;
            records = new ArrayList<>(Collections.nCopies(keys.length, null));
        }

        List<Contestant> contestants(String by) {
            return List.of(new Contestant("bypass, " + by, this::bypass), new Contestant("release, " + by, this::release),
                    new Contestant("release, " + by + ", to the last record", this::awaitRecords));
        }

        /** One call, whose answer says whether it did what it was to do. */
        private interface Call {
            boolean make(int flow);
        }

        double bypass() throws IOException, InterruptedException {
            product.clear();
            return all(i -> table.bypass(BypassRequest.of(keys[i])), bypasses);
        }

        private double release() throws IOException, InterruptedException {
            released = System.nanoTime();
            return all(i -> {
                records.set(i, table.release(keys[i]));
                return true;
            }, releases);
        }

        private double awaitRecords() throws IOException, InterruptedException {
            int ended = 0;
            try {
                for (CompletableFuture<Optional<FlowRecord>> record : records) {
                    ended += record.get().isPresent() ? 1 : 0;
                }
            } catch (ExecutionException e) {
                throw new IOException("Flowbypass is wrong: " + e.getCause().getMessage(), e);
            }
            return perFlow(System.nanoTime() - released, keys.length, ended);
        }

        /** Makes a call for each flow, and notes what each took. */
        private double all(Call call, List<Histogram> latencies) throws IOException, InterruptedException {
            List<Stripe> stripes = IntStream.range(0, threads).mapToObj(i -> new Stripe(call, i)).toList();
            long begun = System.nanoTime();
            stripes.forEach(Thread::start);
            for (Stripe stripe : stripes) {
                stripe.join();
            }
            long took = System.nanoTime() - begun;
            Histogram histogram = new Histogram();
            stripes.forEach(stripe -> histogram.add(stripe.latencies));
            latencies.add(histogram);
            return perFlow(took, keys.length, stripes.stream().mapToLong(stripe -> stripe.done).sum());
        }

        /** The calls of one thread. */
        private final class Stripe extends Thread {
            private final Call call;
            private final int first;
            private final Histogram latencies = new Histogram();
            private long done;

            Stripe(Call call, int first) {
                super("churn");
                this.call = call;
                this.first = first;
            }

            @Override
            public void run() {
                long before = System.nanoTime();
                for (int i = first; i < keys.length; i += threads) {
                    if (call.make(i)) {
                        done++;
                    }
                    long now = System.nanoTime();
                    latencies.add(now - before);
                    before = now;
                }
            }
        }

        void noteLatencies(Run run, String by, boolean withGoals) {
            Figure p50 = count(run, "bypass, " + by + ", p50", bypasses, histogram -> histogram.percentile(50));
            Figure p99 = count(run, "bypass, " + by + ", p99", bypasses, histogram -> histogram.percentile(99));
            count(run, "bypass, " + by + ", p99.9", bypasses, histogram -> histogram.percentile(99.9));
            count(run, "bypass, " + by + ", slowest", bypasses, Histogram::greatest);
            count(run, "release, " + by + ", p50", releases, histogram -> histogram.percentile(50));
            count(run, "release, " + by + ", p99", releases, histogram -> histogram.percentile(99));
            if (withGoals) {
                run.limit(p50, P50_LIMIT);
                run.limit(p99, P99_LIMIT);
            }
        }

        /** The first turn was to warm up. */
        private static Figure count(Run run, String name, List<Histogram> turns, ToDoubleFunction<Histogram> number) {
            return run.count(name, "ns", turns.stream().skip(1).mapToDouble(number).boxed().toList());
        }
    }

    // Memory.

    private void measureMemory(Run run, ProductCutter product, ClassicCutter classic, int flows)
            throws IOException, InterruptedException {
        product.clear();
        long before = heap();
        product.add(Family.IPV4, PacketScenario.FIRST_IN, flows);
        long after = heap();
        product.clear();
        run.limit("kernel memory, Flowbypass", "bytes/flow", (double) kernelMemory(run.pins()) / dataPlane.capacity(),
                MEMORY_LIMIT);
        BpfMap map = classic.map(Family.IPV4);
        run.count("kernel memory, classic", "bytes/flow", (double) kernelMemory(map.descriptor()) / flows);
        run.count("heap, Flowbypass", "bytes/flow", (double) Math.max(0, after - before) / flows);
    }

    private static long heap() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    /** Of all maps that are pinned there. */
    private static long kernelMemory(Path pins) throws IOException {
        long bytes = 0;
        try (Stream<Path> all = Files.list(pins)) {
            for (Path pin : all.filter(Files::isRegularFile).toList()) {
                if (!pin.getFileName().toString().startsWith("program")) {
                    try (Descriptor map = Bpf.open(pin)) {
                        bytes += kernelMemory(map.number());
                    }
                }
            }
        }
        return bytes;
    }

    /** As the kernel says it of a map. */
    private static long kernelMemory(int map) throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/fdinfo", Integer.toString(map)))) {
            return lines.filter(line -> line.startsWith("memlock:")).mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst().orElseThrow(() -> new IOException("The kernel does not say how large a map is."));
        }
    }
}
