// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.BpfObject;
import io.flowbypass.libbpf.Descriptor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** One run of one scenario: how much it is to measure, and what it has found. For one thread. */
public final class Run {
    private static final int REPETITIONS = 7;
    private static final int QUICK_REPETITIONS = 3;

    private final String scenario;
    private final boolean quick;
    private final Places places;
    private final int seed;
    private final Consumer<String> progress;
    private final Map<String, Long> sizes = new LinkedHashMap<>();
    private final List<Figure> figures = new ArrayList<>();
    private final List<Ratio> ratios = new ArrayList<>();
    private final List<Goal> goals = new ArrayList<>();

    /**
     * What a scenario may use of this machine.
     *
     * @param programs directory of this bench's programs in C and BPF objects
     * @param pins directory of what Flowbypass pins here
     * @param directory for files, removed when the bench ends, however it ends
     * @param namespaces what the name of a network namespace has to begin with to be removed like that
     */
    record Places(Path programs, Path pins, Path directory, String namespaces) {
    }

    Run(String scenario, boolean quick, Places places, int seed, Consumer<String> progress) {
        this.scenario = scenario;
        this.quick = quick;
        this.places = places;
        this.seed = seed;
        this.progress = progress;
    }

    /** Name of the scenario. */
    public String scenario() {
        return scenario;
    }

    /** Of all that is random. */
    public int seed() {
        return seed;
    }

    /** Directory of what Flowbypass pins here; what is pinned in others beside it is removed too when the bench ends. */
    public Path pins() {
        return places.pins;
    }

    /** For files, removed when the bench ends, however it ends. */
    public Path directory() {
        return places.directory;
    }

    /** What the name of a network namespace begins with that is removed when the bench ends, however it ends. */
    public String namespaces() {
        return places.namespaces;
    }

    /** Tells whoever waits what is done next. */
    public void say(String what) {
        progress.accept(what);
    }

    /** Notes with how much of what this is measured, and returns it: less in a quick run. */
    public int size(String name, int normal, int whenQuick) {
        int size = quick ? whenQuick : normal;
        sizes.put(name, (long) size);
        return size;
    }

    /** Whether this is a quick run. */
    boolean quick() {
        return quick;
    }

    /** Where something is that was built beside the programs. */
    Path built(String name) {
        return places.programs.resolveSibling(name);
    }

    /** Starts one of this bench's programs in C. */
    public Program program(String name, Object... arguments) throws IOException {
        return Program.start(places.programs.resolve(name), arguments);
    }

    /** Starts one of this bench's programs in C in a network namespace. */
    Program programIn(Path namespace, String name, Object... arguments) throws IOException {
        List<Object> all = new ArrayList<>(List.of("--net=" + namespace, "--", places.programs.resolve(name)));
        all.addAll(List.of(arguments));
        return Program.start(Path.of("nsenter"), all.toArray());
    }

    /** Opens one of this bench's BPF objects. */
    public BpfObject object(String name) throws IOException {
        Path file = places.programs.resolve(name + ".bpf.o");
        return BpfObject.open(file.getFileName().toString(), Files.readAllBytes(file));
    }

    /** Opens what this Flowbypass has pinned. */
    public Descriptor pinned(String name) {
        return Bpf.open(places.pins.resolve(name));
    }

    /** The pins of a map that this Flowbypass has made for another tool: where that looks for it, and its own. */
    List<Path> classicPins(Path pin) {
        return List.of(pin, places.pins.resolve("classic").resolve(places.pins.getParent().relativize(pin).toString().replace('/', '%')));
    }

    /**
     * Measures contestants by turns, so that whatever else this machine does meanwhile hits all of them alike. Each has one
     * turn that does not count, to warm up.
     *
     * @param unit of what each costs
     * @return their figures, in the same order
     */
    public List<Figure> alternate(String unit, Contestant... contestants) throws IOException, InterruptedException {
        progress.accept("Measuring " + scenario + ": "
                + Stream.of(contestants).map(Contestant::figure).collect(Collectors.joining("; ")) + " ...");
        List<List<Double>> costs = new ArrayList<>();
        for (Contestant contestant : contestants) {
            costs.add(new ArrayList<>());
            turn(contestant);
        }
        for (int repetition = 0; repetition < (quick ? QUICK_REPETITIONS : REPETITIONS); repetition++) {
            for (int i = 0; i < contestants.length; i++) {
                costs.get(i).add(turn(contestants[i]));
            }
        }
        List<Figure> measured = new ArrayList<>();
        for (int i = 0; i < contestants.length; i++) {
            measured.add(new Figure(contestants[i].figure(), unit, costs.get(i)));
        }
        figures.addAll(measured);
        return measured;
    }

    /** Notes what was counted, once or more often. */
    public Figure count(String name, String unit, List<Double> values) {
        Figure figure = new Figure(name, unit, values);
        figures.add(figure);
        return figure;
    }

    /** Notes what was counted once. */
    public Figure count(String name, String unit, double value) {
        return count(name, unit, List.of(value));
    }

    /** Notes what was counted once, and compares it with the most that is good. */
    public void limit(String name, String unit, double value, double limit) {
        limit(count(name, unit, value), limit);
    }

    private static double turn(Contestant contestant) throws IOException, InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException("the bench is being ended");
        }
        return contestant.job().cost();
    }

    /** Compares the median of a figure of this run with the most that is good. */
    public void limit(Figure figure, double limit) {
        goals.add(new Goal(figure.name(), limit, figure.median()));
    }

    /** Compares ours with what it is measured against. */
    public double compare(String name, Figure ours, Figure baseline) {
        Ratio ratio = Ratio.of(name, ours, baseline);
        ratios.add(ratio);
        return ratio.value();
    }

    /**
     * Compares ours with what it is measured against, and with the goal.
     *
     * @param limit the greatest ratio with which the goal is met
     */
    public void compare(String name, Figure ours, Figure baseline, double limit) {
        goals.add(new Goal(name, limit, compare(name, ours, baseline)));
    }

    Result result() {
        return new Result(scenario, Collections.unmodifiableMap(sizes), List.copyOf(figures), List.copyOf(ratios),
                List.copyOf(goals));
    }
}
