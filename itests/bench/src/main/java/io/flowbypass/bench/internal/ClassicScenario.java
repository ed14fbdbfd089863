// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import io.flowbypass.classic.ClassicFlows;
import io.flowbypass.classic.ClassicTableState;
import io.flowbypass.flow.Decision;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowSweeper;
import io.flowbypass.flow.FlowView;
import io.flowbypass.flow.Protocols;
import io.flowbypass.flow.SweepResult;
import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.libbpf.TestRun;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.MapService;
import io.flowbypass.xdp.DataPlane;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * The tables of other tools: what it costs to sweep one, and what a packet costs in XDP while they are switched on.
 *
 * <p><b>The sweep</b> shows each entry of libflowbypass's IPv4 table to a test that asks what the policy idle asks, and
 * keeps it. It is measured against two loops in C ({@code sweep.c}) over the same map, which read all entries, in batches or
 * by keys, and of each add up what all CPUs counted and find the newest time. That map has a value for each CPU that this
 * machine can have: what the kernel copies for an entry, and what all three sum up, is as many values as there are CPUs. So
 * costs of machines with different numbers of CPUs cannot be compared; that of one more CPU is in each of the three.
 *
 * <p><b>Packets</b> are sent as in {@link PacketScenario}, of IPv4, through Flowbypass with the tables of one tool on, and
 * nothing in its native table. A hit is one of a flow in the tool's table, a miss one of a flow in none. They are measured
 * against a program of that tool's own design, {@code classic.bpf.c}, {@code suricata.bpf.c} or {@code zeek.bpf.c}, all of
 * them ours. A miss may cost what it does with all tools off, and the lookup besides; the lookup is what a miss costs in the
 * tool's own design, less what a program costs that reads a packet likewise and looks nothing up ({@code parse} in
 * {@code driver.bpf.c}). So the making of the key is in it, and for Zeek both lookups, the flow's and the pair's.
 */
@Component
public final class ClassicScenario implements Scenario {
    private static final int ENTRIES = 1_000_000;
    private static final int QUICK_ENTRIES = 100_000;
    private static final int PACKETS = 1_000_000;
    private static final int QUICK_PACKETS = 100_000;
    private static final String ENTRY_UNIT = "ns/entry";
    private static final double BATCH_LIMIT = 1.4;
    private static final double WALK_LIMIT = 0.5;
    private static final double HIT_LIMIT = 1.1;
    private static final double MISS_LIMIT = 1.0;

    private final MapService maps;
    private final DataPlane dataPlane;
    private final ClassicFlows flows;
    private final Configurations configurations;

    /** Uses the services. */
    @Activate
    public ClassicScenario(@Reference MapService maps, @Reference DataPlane dataPlane, @Reference ClassicFlows flows,
            @Reference ConfigurationAdmin configurations) {
        this.maps = maps;
        this.dataPlane = dataPlane;
        this.flows = flows;
        this.configurations = new Configurations(configurations);
    }

    @Override
    public String name() {
        return "classic";
    }

    @Override
    public void run(Run run) throws IOException, InterruptedException {
        int entries = run.size("entries", ENTRIES, QUICK_ENTRIES);
        int packets = run.size("packets", PACKETS, QUICK_PACKETS);
        OtherTools tools = new OtherTools(run, maps, dataPlane, configurations);
        // The only sweeps are to be those that are measured.
        Object interval = configurations.set(Configurations.EXPIRY, Configurations.INTERVAL, Configurations.AN_HOUR);
        try (Driver driver = Driver.load(run); Descriptor off = run.pinned("program")) {
            for (Tool tool : Tool.values()) {
                BpfMap map = tools.use(tool, entries);
                ToolTable table = new ToolTable(tool, map, maps.possibleCpus());
                if (tool == Tool.LIBFLOWBYPASS) {
                    new Sweep(flows, table, entries).measure(run);
                }
                try (Descriptor on = run.pinned("program");
                        ToolDesign design = ToolDesign.load(run, maps, tool, entries)) {
                    ToolTable other = new ToolTable(tool, design.flows(), maps.possibleCpus());
                    new Contest(run, driver, tool, off.number(), new Side(on.number(), table),
                            new Side(design.program(), other), entries, packets).hold();
                }
                tools.useNone();
            }
        } finally {
            configurations.set(Configurations.EXPIRY, Configurations.INTERVAL, interval);
        }
    }

    /** A full table of libflowbypass's, swept. */
    private static final class Sweep {
        private static final Decision IDLE = Decision.end(EndReason.IDLE, "");
        private static final Duration BUDGET = Duration.ofMinutes(1);
        /** All longer than a bench takes. */
        private static final long TCP_NANOS = TimeUnit.HOURS.toNanos(3);
        private static final long UDP_NANOS = TimeUnit.HOURS.toNanos(2);
        private static final long OTHER_NANOS = TimeUnit.HOURS.toNanos(1);

        private final ClassicFlows flows;
        private final FlowSweeper sweeper;
        private final ToolTable table;
        private final int entries;
        /** What each CPU counted, of all entries. */
        private final long packets;

        Sweep(ClassicFlows flows, ToolTable table, int entries) {
            this.flows = flows;
            this.sweeper = (FlowSweeper) flows;
            this.table = table;
            this.entries = entries;
            this.packets = (long) entries * (entries - 1) / 2 * table.cpus();
        }

        void measure(Run run) throws IOException, InterruptedException {
            long time = System.nanoTime();
            table.add(PacketScenario.FIRST_IN, entries, time);
            long sum = time * entries + packets;
            try (Program c = run.program("sweep", table.map().info().id(), ToolTable.BLOCK)) {
                List<Figure> figures = run.alternate(ENTRY_UNIT, new Contestant("sweep, Flowbypass", this::sweep),
                        new Contestant("sweep in batches, C", () -> inC(c, "batch", sum)),
                        new Contestant("sweep by keys, C", () -> inC(c, "walk", sum)));
                run.compare("sweep, to batches in C", figures.get(0), figures.get(1), BATCH_LIMIT);
                run.compare("sweep, to keys in C", figures.get(0), figures.get(2), WALK_LIMIT);
            }
            table.clear();
        }

        private double sweep() throws IOException {
            long begun = System.nanoTime();
            SweepResult result = sweeper.sweep(Sweep::decide, BUDGET);
            long took = System.nanoTime() - begun;
            long seen = flows.tables().stream().mapToLong(ClassicTableState::packets).sum();
            if (result.scanned() != entries || result.ended() != 0 || !result.complete() || seen != packets) {
                throw new IOException(String.format("Flowbypass is wrong: it saw %,d packets where there are %,d in %,d"
                        + " entries, and its sweep was %s.", seen, packets, entries, result));
            }
            return (double) took / entries;
        }

        /** As the policy idle. */
        private static Decision decide(FlowView flow) {
            long timeout = flow.idleTimeoutNanos(timeout(flow.protocol()));
            return flow.idleNanos() >= timeout ? IDLE : Decision.KEEP;
        }

        private static long timeout(int protocol) {
            return switch (protocol) {
                case Protocols.TCP -> TCP_NANOS;
                case Protocols.UDP -> UDP_NANOS;
                default -> OTHER_NANOS;
            };
        }

        private double inC(Program c, String job, long sum) throws IOException, InterruptedException {
            long[] answer = Stream.of(c.ask(job).split(" ")).mapToLong(Long::parseUnsignedLong).toArray();
            if (answer[1] != entries || answer[2] != sum) {
                throw new IOException(String.format("The program sweep is wrong: it saw %,d entries with the sum %d where"
                        + " there are %,d with the sum %d.", answer[1], answer[2], entries, sum));
            }
            return (double) answer[0] / entries;
        }
    }

    /** What packets are sent. */
    private enum Traffic {
        HIT_HOT("hit, hot", true, false),
        MISS_HOT("miss, hot", false, false),
        HIT_RANDOM("hit, random", true, true);

        private final String title;
        private final boolean hits;
        private final boolean random;

        Traffic(String title, boolean hits, boolean random) {
            this.title = title;
            this.hits = hits;
            this.random = random;
        }
    }

    /** A program, and where it counts. */
    private record Side(int program, ToolTable table) {
    }

    /**
     * Flowbypass with the tables of one tool on, and that tool's own design.
     *
     * @param off Flowbypass's program with all off
     */
    private record Contest(Run run, Driver driver, Tool tool, int off, Side ours, Side design, int entries, int packets) {
        void hold() throws IOException, InterruptedException {
            add(PacketScenario.FIRST_IN, 1);
            compareHits(Traffic.HIT_HOT);
            compareMisses();
            add(PacketScenario.FIRST_IN + 1, entries - 1);
            compareHits(Traffic.HIT_RANDOM);
        }

        private void add(int first, int count) {
            long time = System.nanoTime();
            ours.table.add(first, count, time);
            design.table.add(first, count, time);
        }

        private void compareHits(Traffic traffic) throws IOException, InterruptedException {
            List<Figure> figures = run.alternate(PacketScenario.UNIT, contestant(traffic, "Flowbypass", ours),
                    contestant(traffic, "own design", design));
            String name = tool + " " + traffic.title;
            if (traffic.random) {
                run.compare(name, figures.get(0), figures.get(1));
            } else {
                run.compare(name, figures.get(0), figures.get(1), HIT_LIMIT);
            }
        }

        private void compareMisses() throws IOException, InterruptedException {
            List<Figure> figures = run.alternate(PacketScenario.UNIT, contestant(Traffic.MISS_HOT, "Flowbypass", ours),
                    contestant(Traffic.MISS_HOT, "all off", new Side(off, ours.table)),
                    contestant(Traffic.MISS_HOT, "own design", design),
                    contestant(Traffic.MISS_HOT, "not looked up", new Side(driver.parse(), design.table)));
            List<Double> offAndLookup = new ArrayList<>();
            for (int i = 0; i < figures.get(1).repetitions().size(); i++) {
                offAndLookup.add(figures.get(1).repetitions().get(i) + figures.get(2).repetitions().get(i)
                        - figures.get(3).repetitions().get(i));
            }
            run.compare(tool + " miss, to off and lookup", figures.get(0),
                    new Figure(tool + " off and lookup", PacketScenario.UNIT, offAndLookup), MISS_LIMIT);
        }

        private Contestant contestant(Traffic traffic, String title, Side side) {
            String figure = tool + " " + traffic.title + ", " + title;
            long[] before = {side.table.packets()};
            return new Contestant(figure, () -> {
                TestRun sent = send(traffic, side.program);
                long after = side.table.packets();
                long counted = after - before[0];
                before[0] = after;
                int expected = traffic.hits ? packets : 0;
                int result = traffic.hits ? PacketScenario.XDP_DROP : PacketScenario.XDP_PASS;
                if (counted != expected || sent.result() != result) {
                    throw new IOException(String.format("%s is wrong: of %,d packets it counted %,d and returned %d where"
                            + " it had to count %,d and return %d.", figure, packets, counted, sent.result(), expected,
                            result));
                }
                return sent.nanosPerRun();
            });
        }

        private TestRun send(Traffic traffic, int program) throws IOException {
            int first = traffic.hits ? PacketScenario.FIRST_IN : PacketScenario.FIRST_OUT;
            return traffic.random ? driver.run(program, Family.IPV4, first, entries, packets)
                    : Bpf.testRun(program, Family.IPV4.frame(first), packets);
        }
    }
}
