// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import io.flowbypass.bench.internal.ClassicCutter.Design;
import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.TestRun;
import io.flowbypass.maps.MapService;
import io.flowbypass.xdp.DataPlane;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * What a packet costs in XDP: Flowbypass as it is shipped, against the classic design ({@code classic.bpf.c}), by
 * BPF_PROG_TEST_RUN. A hit is a packet of a flow in the table, which has to be counted and dropped; a miss one of a flow that
 * is not in it, which has to be passed.
 *
 * <p>Hot is one frame, again and again, beside one flow in the table. All else is a frame of another flow each time, in random
 * order, beside so many flows, and random beside a full table ({@code driver.bpf.c}): the driver's cost is in both figures,
 * which brings their ratio nearer to 1, and two figures of its own say how much it is. Both see the same packets, all in one
 * direction. Costs are means of one run, in whole nanoseconds, as the kernel gives them; what a test run itself costs for each
 * packet is in them too.
 *
 * <p>The goals are against counters of each CPU; hits are also measured against counters for all CPUs, which are added to
 * atomically or under a spin lock: on one CPU, so without the contention that these have. Of the switches, the tables of other
 * tools are those of {@link ClassicScenario}.
 */
@Component
public final class PacketScenario implements Scenario {
    private static final int FLOWS = 1_000_000;
    private static final int QUICK_FLOWS = 100_000;
    private static final int PACKETS = 1_000_000;
    private static final int QUICK_PACKETS = 100_000;
    static final String UNIT = "ns/packet";
    /** Number of the first flow in the table, and of the first that never is. */
    static final int FIRST_IN = 0xf0000000;
    static final int FIRST_OUT = 0xf8000000;
    private static final double CUTOFF_LIMIT = 2.5;
    static final int XDP_DROP = 1;
    static final int XDP_PASS = 2;

    private final MapService maps;
    private final FlowTable table;
    private final DataPlane dataPlane;

    /** Uses the services. */
    @Activate
    public PacketScenario(@Reference MapService maps, @Reference FlowTable table, @Reference DataPlane dataPlane) {
        this.maps = maps;
        this.table = table;
        this.dataPlane = dataPlane;
    }

    @Override
    public String name() {
        return "packet";
    }

    @Override
    public void run(Run run) throws IOException, InterruptedException {
        int flows = run.size("flows", FLOWS, QUICK_FLOWS);
        int packets = run.size("packets", PACKETS, QUICK_PACKETS);
        try (Driver driver = Driver.load(run); ProductCutter product = new ProductCutter(run, table);
                ClassicCutter perCpu = ClassicCutter.load(run, maps, Design.PER_CPU, flows);
                ClassicCutter shared = ClassicCutter.load(run, maps, Design.SHARED, flows);
                ClassicCutter lock = ClassicCutter.load(run, maps, Design.LOCK, flows)) {
            Contest contest = new Contest(run, driver, product, List.of(perCpu, shared, lock), dataPlane, flows, packets);
            contest.measureDriver();
            for (Family family : Family.values()) {
                contest.hold(family);
            }
        }
    }

    /**
     * What packets are sent.
     *
     * @param flows how many there are; 1 for hot
     * @param limit the goal, for IPv4; 0 for none
     */
    private record Traffic(String title, boolean hits, int flows, double limit) {
        Traffic {
            title = (hits ? "hit, " : "miss, ") + title;
        }
    }

    /** Flowbypass and the classic designs, side by side. */
    private record Contest(Run run, Driver driver, ProductCutter product, List<? extends Cutter> classic, DataPlane dataPlane,
            int flows, int packets) {
        private static final int[] SOME_FLOWS = {1000, 100_000};
        private static final Traffic HIT_HOT = new Traffic("hot", true, 1, 0.6);
        private static final Traffic MISS_HOT = new Traffic("hot", false, 1, 0.9);

        void measureDriver() throws IOException, InterruptedException {
            int drop = driver.drop();
            Traffic random = new Traffic("random", true, flows, 0);
            run.alternate(UNIT,
                    new Contestant("empty program that drops", () -> send(Family.IPV4, HIT_HOT, drop, XDP_DROP)),
                    new Contestant("the same behind the driver", () -> send(Family.IPV4, random, drop, XDP_DROP)));
        }

        void hold(Family family) throws IOException, InterruptedException {
            add(family, 0, 1);
            compare(family, HIT_HOT);
            compare(family, MISS_HOT);
            compareCutoff(family, MISS_HOT);
            comparePause(family);
            compareVlans(family);
            int there = 1;
            for (int some : SOME_FLOWS) {
                if (some < flows) {
                    add(family, there, some);
                    there = some;
                    String title = String.format(Locale.ROOT, "%,d flows", some);
                    compare(family, new Traffic(title, true, some, 0));
                    compare(family, new Traffic(title, false, some, 0));
                }
            }
            add(family, there, flows);
            compare(family, new Traffic("random", true, flows, 0.45));
            Traffic misses = new Traffic("random", false, flows, 0.4);
            compare(family, misses);
            compareCutoff(family, misses);
            product.clear();
        }

        /** Adds flows to those that are there. */
        private void add(Family family, int there, int wanted) {
            product.add(family, FIRST_IN + there, wanted - there);
            classic.forEach(cutter -> cutter.add(family, FIRST_IN + there, wanted - there));
        }

        private void compare(Family family, Traffic traffic) throws IOException, InterruptedException {
            List<Cutter> cutters = new ArrayList<>(List.of(product));
            // What a flow has for counters makes no difference to a packet that has no flow.
            cutters.addAll(traffic.hits ? classic : classic.subList(0, 1));
            List<Long> before = cut(family, cutters);
            List<Figure> figures = run.alternate(UNIT, cutters.stream().map(cutter -> new Contestant(
                    family.title() + " " + traffic.title + ", " + cutter.title(),
                    () -> send(family, traffic, cutter.program(), traffic.hits ? XDP_DROP : XDP_PASS)))
                    .toArray(Contestant[]::new));
            checkCut(family, figures, cutters, before, traffic.hits);
            compare(family, traffic.title, figures.get(0), figures.get(1), traffic.limit);
            for (int i = 2; i < cutters.size(); i++) {
                compare(family, traffic.title + ", to " + cutters.get(i).title(), figures.get(0), figures.get(i), 0);
            }
        }

        private static List<Long> cut(Family family, List<Cutter> cutters) throws IOException {
            List<Long> cut = new ArrayList<>();
            for (Cutter cutter : cutters) {
                cut.add(cutter.cut(family));
            }
            return cut;
        }

        /** Whether each has cut what was sent, in the turns that count and the one before. */
        private void checkCut(Family family, List<Figure> figures, List<Cutter> cutters, List<Long> before, boolean hits)
                throws IOException {
            long expected = hits ? packets * (figures.get(0).repetitions().size() + 1L) : 0;
            List<Long> after = cut(family, cutters);
            for (int i = 0; i < cutters.size(); i++) {
                if (after.get(i) - before.get(i) != expected) {
                    throw new IOException(String.format("%s is wrong: it cut %,d packets where it had to cut %,d.",
                            figures.get(i).name(), after.get(i) - before.get(i), expected));
                }
            }
        }

        private void compare(Family family, String title, Figure ours, Figure other, double limit) {
            String name = family.title() + " " + title;
            if (family == Family.IPV4 && limit > 0) {
                run.compare(name, ours, other, limit);
            } else {
                run.compare(name, ours, other);
            }
        }

        /** With automatic cut-off on, which counts these packets: they go to port 443; and without. */
        private void compareCutoff(Family family, Traffic traffic) throws IOException, InterruptedException {
            dataPlane.setCutoffBytes(DataPlane.MAX_CUTOFF_BYTES);
            try {
                compareSwitch(family, traffic.title, "cut-off", CUTOFF_LIMIT, on -> {
                    dataPlane.setCutoffEnabled(on);
                    return send(family, traffic, product.program(), XDP_PASS);
                });
            } finally {
                dataPlane.setCutoffEnabled(false);
            }
        }

        private void comparePause(Family family) throws IOException, InterruptedException {
            try {
                compareSwitch(family, HIT_HOT.title, "pause", 0, on -> {
                    dataPlane.setPaused(on);
                    return send(family, HIT_HOT, product.program(), on ? XDP_PASS : XDP_DROP);
                });
            } finally {
                dataPlane.setPaused(false);
            }
        }

        /** Of a frame with a tag, which the program reads with more care than one without. */
        private void compareVlans(Family family) throws IOException, InterruptedException {
            try (VlanTracking tracking = new VlanTracking(run)) {
                tracking.set(true);
                product.add(BypassRequest.of(family.key(FIRST_IN).withVlans(Family.VLAN, 0)));
                compareSwitch(family, "hit, hot, tagged", "VLAN tracking", 0, on -> {
                    tracking.set(on);
                    return expect(Bpf.testRun(product.program(), family.taggedFrame(FIRST_IN), packets), XDP_DROP);
                });
            }
        }

        /** Sends packets with a switch on or off, and says what one cost. */
        private interface Switched {
            double send(boolean on) throws IOException;
        }

        private void compareSwitch(Family family, String title, String what, double limit, Switched switched)
                throws IOException, InterruptedException {
            String figure = family.title() + " " + title + ", Flowbypass, " + what;
            List<Figure> figures = run.alternate(UNIT, new Contestant(figure + " on", () -> switched.send(true)),
                    new Contestant(figure + " off", () -> switched.send(false)));
            compare(family, title + ", " + what + " on to off", figures.get(0), figures.get(1), limit);
        }

        private double send(Family family, Traffic traffic, int program, int expected) throws IOException {
            int first = traffic.hits ? FIRST_IN : FIRST_OUT;
            return expect(traffic.flows > 1 ? driver.run(program, family, first, traffic.flows, packets)
                    : Bpf.testRun(program, family.frame(first), packets), expected);
        }

        private static double expect(TestRun sent, int expected) throws IOException {
            if (sent.result() != expected) {
                throw new IOException(String.format("A program is wrong: it returned %d where it had to return %d.",
                        sent.result(), expected));
            }
            return sent.nanosPerRun();
        }
    }
}
