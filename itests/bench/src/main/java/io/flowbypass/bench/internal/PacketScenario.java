// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import io.flowbypass.flow.FlowTable;
import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.TestRun;
import io.flowbypass.maps.MapService;
import io.flowbypass.xdp.DataPlane;
import java.io.IOException;
import java.util.List;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * What a packet costs in XDP: Flowbypass as it is shipped, against the classic design ({@code classic.bpf.c}), by
 * BPF_PROG_TEST_RUN. A hit is a packet of a flow in the table, which has to be counted and dropped; a miss one of a flow that
 * is not in it, which has to be passed.
 *
 * <p>Hot is one frame, again and again, beside one flow in the table. Random is a frame of another flow each time, beside a
 * full table ({@code driver.bpf.c}): the driver's cost is in both figures, which brings their ratio nearer to 1, and two
 * figures of its own say how much it is. Both see the same packets, all in one direction. Costs are means of one run, in whole
 * nanoseconds, as the kernel gives them; what a test run itself costs for each packet is in them too.
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
                ClassicCutter classic = ClassicCutter.load(run, maps, flows)) {
            Contest contest = new Contest(run, driver, product, classic, dataPlane, flows, packets);
            contest.measureDriver();
            for (Family family : Family.values()) {
                contest.hold(family);
            }
        }
    }

    /** What packets are sent. */
    private enum Traffic {
        HIT_HOT("hit, hot", true, false, 0.6),
        MISS_HOT("miss, hot", false, false, 0.9),
        HIT_RANDOM("hit, random", true, true, 0.45),
        MISS_RANDOM("miss, random", false, true, 0.4);

        private final String title;
        private final boolean hits;
        private final boolean random;
        /** The goal, for IPv4. */
        private final double limit;

        Traffic(String title, boolean hits, boolean random, double limit) {
            this.title = title;
            this.hits = hits;
            this.random = random;
            this.limit = limit;
        }
    }

    /** Flowbypass and the classic design, side by side. */
    private record Contest(Run run, Driver driver, ProductCutter product, Cutter classic, DataPlane dataPlane, int flows,
            int packets) {
        void measureDriver() throws IOException, InterruptedException {
            int drop = driver.drop();
            run.alternate(UNIT,
                    new Contestant("empty program that drops", () -> send(Family.IPV4, Traffic.HIT_HOT, drop)),
                    new Contestant("the same behind the driver", () -> send(Family.IPV4, Traffic.HIT_RANDOM, drop)));
        }

        void hold(Family family) throws IOException, InterruptedException {
            add(family, FIRST_IN, 1);
            compare(family, Traffic.HIT_HOT);
            compare(family, Traffic.MISS_HOT);
            compareCutoff(family, Traffic.MISS_HOT);
            add(family, FIRST_IN + 1, flows - 1);
            compare(family, Traffic.HIT_RANDOM);
            compare(family, Traffic.MISS_RANDOM);
            compareCutoff(family, Traffic.MISS_RANDOM);
            product.clear();
        }

        private void add(Family family, int first, int count) {
            product.add(family, first, count);
            classic.add(family, first, count);
        }

        private void compare(Family family, Traffic traffic) throws IOException, InterruptedException {
            List<Figure> figures = run.alternate(UNIT, contestant(family, traffic, product),
                    contestant(family, traffic, classic));
            String name = family.title() + " " + traffic.title;
            if (family == Family.IPV4) {
                run.compare(name, figures.get(0), figures.get(1), traffic.limit);
            } else {
                run.compare(name, figures.get(0), figures.get(1));
            }
        }

        /** With automatic cut-off on, which counts these packets: they go to port 443; and without, the goal for IPv4. */
        private void compareCutoff(Family family, Traffic traffic) throws IOException, InterruptedException {
            dataPlane.setCutoffBytes(DataPlane.MAX_CUTOFF_BYTES);
            Contestant without = contestant(family, traffic, product);
            List<Figure> figures;
            try {
                figures = run.alternate(UNIT, new Contestant(without.figure() + ", cut-off on", () -> {
                    dataPlane.setCutoffEnabled(true);
                    return without.job().cost();
                }), new Contestant(without.figure() + ", cut-off off", () -> {
                    dataPlane.setCutoffEnabled(false);
                    return without.job().cost();
                }));
            } finally {
                dataPlane.setCutoffEnabled(false);
            }
            String name = family.title() + " " + traffic.title + ", cut-off on to off";
            if (family == Family.IPV4) {
                run.compare(name, figures.get(0), figures.get(1), CUTOFF_LIMIT);
            } else {
                run.compare(name, figures.get(0), figures.get(1));
            }
        }

        private Contestant contestant(Family family, Traffic traffic, Cutter cutter) throws IOException {
            String figure = family.title() + " " + traffic.title + ", " + cutter.title();
            long[] before = {cutter.cut(family)};
            return new Contestant(figure, () -> {
                double cost = send(family, traffic, cutter.program());
                long after = cutter.cut(family);
                long cut = after - before[0];
                before[0] = after;
                int expected = traffic.hits ? packets : 0;
                if (cut != expected) {
                    throw new IOException(String.format("%s is wrong: of %,d packets it cut %,d where it had to cut %,d.",
                            figure, packets, cut, expected));
                }
                return cost;
            });
        }

        private double send(Family family, Traffic traffic, int program) throws IOException {
            int first = traffic.hits ? FIRST_IN : FIRST_OUT;
            TestRun sent = traffic.random ? driver.run(program, family, first, flows, packets)
                    : Bpf.testRun(program, family.frame(first), packets);
            int expected = traffic.hits ? XDP_DROP : XDP_PASS;
            if (sent.result() != expected) {
                throw new IOException(String.format("%s %s is wrong: a program returned %d where it had to return %d.",
                        family.title(), traffic.title, sent.result(), expected));
            }
            return sent.nanosPerRun();
        }
    }
}
