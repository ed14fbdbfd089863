// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import io.flowbypass.flow.FlowTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * What is left for a sensor to do. Packets run over a veth pair as fast as they can be sent ({@code sender.c}) to an interface that
 * a sensor captures ({@code sensor.c}), without Flowbypass and with it, and then so many percent of the packets are of flows that it
 * cuts. The sensor does the least that one can do; a real one spends more on each packet, and saves more.
 *
 * <p>CPU time is that of sender, sensor and the kernel's threads for interrupts (ksoftirqd), for each packet that arrived: on this
 * line, sending is most of it. A packet for which the sensor had no room is one that arrived, and was not captured.
 */
@Component
public final class WireScenario implements Scenario {
    private static final String THERE = "wire0";
    private static final int FLOWS = 1000;
    private static final int TURNS = 7;
    private static final int QUICK_TURNS = 3;
    private static final int MILLIS = 500;
    private static final int QUICK_MILLIS = 200;
    private static final int SETTLE_MILLIS = 20;
    private static final double NANOS_PER_SECOND = 1e9;
    private static final String ARRIVED = "ns/packet";

    private final FlowTable table;

    /** Uses the service. */
    @Activate
    public WireScenario(@Reference FlowTable table) {
        this.table = table;
    }

    /** What was measured with one part of the packets cut, once in each turn. */
    private static final class Line {
        private final String title;
        /** -1: without Flowbypass. */
        private final int percent;
        private final List<Double> perSecond = new ArrayList<>();
        private final List<Double> cpu = new ArrayList<>();
        private final List<Double> sensor = new ArrayList<>();
        private final List<Double> captured = new ArrayList<>();

        Line(String title, int percent) {
            this.title = title;
            this.percent = percent;
        }
    }

    @Override
    public String name() {
        return "wire";
    }

    @Override
    public void run(Run run) throws IOException, InterruptedException {
        int flows = run.size("flows", FLOWS, FLOWS);
        int millis = run.size("milliseconds", MILLIS, QUICK_MILLIS);
        int turns = run.size("turns", TURNS, QUICK_TURNS);
        List<Line> lines = List.of(new Line("without Flowbypass", -1), new Line("0 % cut", 0), new Line("50 % cut", 50),
                new Line("99 % cut", 99));
        run.say("Measuring wire: " + String.join("; ", lines.stream().map(line -> line.title).toList()) + " ...");
        try (ProductCutter product = new ProductCutter(run, table); Cable cable = new Cable(run, THERE);
                Program sensor = run.program("sensor", cable.index());
                Program sender = run.programIn(cable.namespaceFile(), "sender", THERE,
                        HexFormat.of().formatHex(Family.IPV4.frame(PacketScenario.FIRST_IN)), Family.IPV4.numberOffset(),
                        Integer.toUnsignedString(PacketScenario.FIRST_IN), Integer.toUnsignedString(PacketScenario.FIRST_OUT),
                        flows)) {
            product.clear();
            product.add(Family.IPV4, PacketScenario.FIRST_IN, flows);
            // The first turn is to warm up.
            for (int turn = 0; turn <= turns; turn++) {
                for (Line line : lines) {
                    if (line.percent < 0) {
                        cable.detach();
                    } else if (line.percent == 0) {
                        cable.attach(product.program());
                    }
                    measure(line, product, cable, sensor, sender, millis, turn > 0);
                }
            }
            product.clear();
        }
        note(run, lines);
    }

    private static void measure(Line line, ProductCutter product, Cable cable, Program sensor, Program sender, int millis,
            boolean counts) throws IOException, InterruptedException {
        long cutBefore = product.cut(Family.IPV4);
        long arrivedBefore = cable.arrived();
        long softBefore = softInterrupts();
        numbers(sensor.ask("count"));
        long[] sent = numbers(sender.ask(millis + " " + Math.max(0, line.percent)));
        Thread.sleep(SETTLE_MILLIS);
        long[] seen = numbers(sensor.ask("count"));
        long soft = softInterrupts() - softBefore;
        double arrived = cable.arrived() - arrivedBefore;
        long cut = product.cut(Family.IPV4) - cutBefore;
        if (line.percent > 0 == (cut == 0) || arrived == 0) {
            throw new IOException(String.format("Flowbypass is wrong: with %s, of %,.0f packets it cut %,d.", line.title, arrived,
                    cut));
        }
        if (counts) {
            line.perSecond.add(arrived / sent[0] * NANOS_PER_SECOND);
            line.cpu.add((sent[2] + seen[2] + soft) / arrived);
            line.sensor.add(seen[2] / arrived);
            line.captured.add(100.0 * seen[1] / arrived);
        }
    }

    private static void note(Run run, List<Line> lines) {
        for (Line line : lines) {
            run.count("packets, " + line.title, "packets/s", line.perSecond);
        }
        List<Figure> cpu = lines.stream().map(line -> run.count("CPU, " + line.title, ARRIVED, line.cpu)).toList();
        List<Figure> sensor = lines.stream().map(line -> run.count("the sensor's CPU, " + line.title, ARRIVED, line.sensor))
                .toList();
        for (Line line : lines) {
            run.count("seen by the sensor, " + line.title, "%", line.captured);
        }
        for (int i = 1; i < lines.size(); i++) {
            run.compare("CPU, " + lines.get(i).title + ", to without", cpu.get(i), cpu.get(0));
            run.compare("the sensor's CPU, " + lines.get(i).title + ", to without", sensor.get(i), sensor.get(0));
        }
    }

    private static long[] numbers(String answer) {
        return Stream.of(answer.split(" ")).mapToLong(Long::parseLong).toArray();
    }

    /** Nanoseconds that the kernel's threads for interrupts have run: the first number of each schedstat. */
    private static long softInterrupts() throws IOException {
        long nanos = 0;
        try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
            for (Path process : processes.filter(each -> Character.isDigit(each.getFileName().toString().charAt(0))).toList()) {
                try {
                    if (Files.readString(process.resolve("comm")).startsWith("ksoftirqd/")) {
                        nanos += Long.parseLong(Files.readString(process.resolve("schedstat")).split(" ")[0]);
                    }
                } catch (NoSuchFileException ended) {
                    continue;
                }
            }
        }
        return nanos;
    }
}
