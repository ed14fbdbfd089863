// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferencePolicy;

/**
 * Runs the scenarios that were asked for, prints what they found, writes the report and stops the framework. Exists only
 * where it is configured.
 */
@Component(service = {}, immediate = true, configurationPid = "io.flowbypass.bench",
        configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class Bench {
    private static final long STEP_MILLIS = 50;
    private static final long PATIENCE_MILLIS = 9000;

    /** What {@code ./flowbypass bench} says. */
    @interface Config {
        /** Names of scenarios, with spaces between them; all where there is none. */
        String scenarios() default "";

        /** Whether to measure less. */
        boolean quick();

        /** Directory of the programs in C and the BPF objects. */
        String programs();

        /** Directory of what Flowbypass pins here. */
        String pin_root();

        /** What the name of each network namespace that is made begins with. */
        String namespaces();

        /** Of all that is random. */
        int seed();

        /** Where the report goes, as JSON; empty until all is measured. */
        String report_file();

        /** Where a chart of each scenario goes. */
        String charts();

        /** Where a sentence goes that says why there is no report. */
        String failure_file();
    }

    @Reference(policy = ReferencePolicy.DYNAMIC)
    private volatile List<Scenario> scenarios;
    private BundleContext context;
    private Config config;
    private Thread thread;

    /** Begins. */
    @Activate
    void activate(BundleContext bundle, Config wanted) throws IOException {
        context = bundle;
        config = wanted;
        Files.createFile(Path.of(config.report_file()));
        thread = new Thread(this::run, "flowbypass bench");
        thread.start();
    }

    /** Ends it, also in the middle. */
    @Deactivate
    void deactivate() throws InterruptedException {
        if (Thread.currentThread() != thread) {
            thread.interrupt();
            thread.join(PATIENCE_MILLIS);
        }
    }

    private void run() {
        try {
            awaitFramework();
            measure(choose(config.scenarios(), scenarios).stream().map(Scenario::name).toList());
        } catch (InterruptedException e) {
            // Whoever ends it knows that there is no report.
        } catch (IOException | RuntimeException e) {
            fail(e);
        } finally {
            stopFramework();
        }
    }

    /** By then every scenario is there that has what it needs. */
    private void awaitFramework() throws InterruptedException {
        while (context.getBundle(0).getState() != Bundle.ACTIVE) {
            Thread.sleep(STEP_MILLIS);
        }
    }

    /** Those of these names, in that order; without a name all but those that have to be named, by their names. */
    static List<Scenario> choose(String names, List<Scenario> all) {
        List<Scenario> sorted = all.stream().sorted(Comparator.comparing(Scenario::name)).toList();
        return names.isBlank() ? sorted.stream().filter(scenario -> !scenario.isOnlyNamed()).toList()
                : Stream.of(names.strip().split(" +")).distinct().map(name -> find(name, sorted)).toList();
    }

    private static Scenario find(String name, List<Scenario> all) {
        return all.stream().filter(one -> one.name().equals(name)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no scenario \"" + name + "\"; there are: "
                        + all.stream().map(Scenario::name).collect(Collectors.joining(", ")) + "."));
    }

    /** By names: a scenario may restart what others need, which are other components then. */
    private void measure(List<String> chosen) throws IOException, InterruptedException {
        Path programs = Path.of(config.programs());
        Machine machine = Machine.look(context.getBundle().getVersion().toString(), programs);
        System.out.println(machine + (config.quick() ? ", quick" : ""));
        Run.Places places = new Run.Places(programs, Path.of(config.pin_root()), Path.of(config.report_file()).getParent(),
                config.namespaces());
        List<Result> results = new ArrayList<>();
        for (String name : chosen) {
            Run run = new Run(name, config.quick(), places, config.seed(), System.out::println);
            find(name, scenarios).run(run);
            results.add(run.result());
            System.out.print(Table.of(run.result()));
            Files.writeString(Path.of(config.charts()).resolve(name + ".svg"), Chart.of(run.result(), machine));
        }
        Path file = Path.of(config.report_file());
        Path draft = file.resolveSibling(file.getFileName() + ".new");
        new Report(machine, config.quick(), results).write(Files.newBufferedWriter(draft));
        Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
    }

    private void fail(Exception failure) {
        try {
            Files.writeString(Path.of(config.failure_file()),
                    Optional.ofNullable(failure.getMessage()).orElse(failure.toString()) + System.lineSeparator());
        } catch (IOException unwritable) {
            failure.addSuppressed(unwritable);
            failure.printStackTrace();
        }
    }

    private void stopFramework() {
        try {
            context.getBundle(0).stop();
        } catch (BundleException | IllegalStateException e) {
            // It is being stopped already.
        }
    }
}
