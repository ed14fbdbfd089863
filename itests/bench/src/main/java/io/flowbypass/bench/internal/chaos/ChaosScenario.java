// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal.chaos;

import io.flowbypass.bench.internal.Run;
import io.flowbypass.bench.internal.Scenario;
import io.flowbypass.flow.EndReason;
import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.maps.MapService;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * Whether anything is lost or counted twice, whatever happens. Packets run on every CPU ({@code generator.c}) while flows are
 * bypassed, released, expired, reopened by a SYN and cut off by XDP itself as fast as that goes ({@link Load}), in so few
 * slots that each is used for another flow at once. What the generator saw dropped of each flow, its records have to say.
 *
 * <ul>
 * <li>exact: nothing else happens
 * <li>interrupted: the program stands still in the middle of some packets, as an interrupt or a hypervisor lets it
 * ({@code interrupted.bpf.c})
 * <li>killed: the JVM is killed (SIGKILL) at random moments, also while it starts, and started again, beside 100,000 flows that
 * stay; no packet of those may pass meanwhile
 * <li>soak: descriptors, threads, heap and BPF memory after a tenth of the time, and in the end
 * <li>read-then-delete, lookup-and-delete: the same packets against a hash map of the classic design, whose program is
 * interrupted like that, and whose entries are read and then deleted, or read and deleted by one system call
 * </ul>
 */
@Component
public final class ChaosScenario implements Scenario {
    /** Flows that come and go; many more than the slots that there are for them. */
    private static final int FLOWS = 12_000;
    private static final int ROOM = 4096;
    /** Flows that stay. */
    private static final int FEW_RESIDENTS = Phases.FEW_RESIDENTS;
    private static final int MANY_RESIDENTS = 100_000;
    /** Of kills, one in so many comes while Flowbypass starts. */
    private static final int EARLY_KILL = 4;
    private static final int LATEST_KILL_MILLIS = 500;
    private static final double ADOPTION_GOAL_MILLIS = 2000;
    private static final int LOOKS = 5;
    /** Threads that tell of notices end when there are none for a while. */
    private static final int THREADS_THAT_COME_AND_GO = 2;
    private static final String TIMES = Phases.TIMES;

    private final MapService maps;

    /** Uses the service for the classic design. */
    @Activate
    public ChaosScenario(@Reference MapService maps) {
        this.maps = maps;
    }

    @Override
    public String name() {
        return "chaos";
    }

    @Override
    public boolean isOnlyNamed() {
        return true;
    }

    @Override
    public void run(Run run) throws IOException, InterruptedException {
        int seconds = run.size("seconds of exact and others", 60, 5);
        int kills = run.size("kills", 100, 10);
        int soak = run.size("seconds of soak", 600, 10);
        run.size("seed", run.seed(), run.seed());
        try (Lab lab = new Lab(run)) {
            Phases phases = new Phases(run, lab, maps);
            exact(run, lab, phases, seconds);
            phases.interrupted("interrupted", seconds);
            killed(run, lab, phases, kills);
            soak(run, lab, phases, soak);
            phases.classic(false, seconds);
            phases.classic(true, seconds);
        }
    }

    private static void exact(Run run, Lab lab, Phases phases, int seconds) throws IOException, InterruptedException {
        run.say("chaos: exact, " + seconds + " s ...");
        try (Felix felix = new Felix(lab, "exact", FEW_RESIDENTS, FLOWS, FEW_RESIDENTS + ROOM, run.seed())) {
            felix.start();
            felix.awaitUp();
            try (Generator generator = generator(run, felix, FEW_RESIDENTS)) {
                generator.go();
                TimeUnit.SECONDS.sleep(seconds);
                phases.settle("exact", felix, generator);
            }
        }
    }

    private static void killed(Run run, Lab lab, Phases phases, int kills) throws IOException, InterruptedException {
        run.say("chaos: killed, " + kills + " times ...");
        SplittableRandom random = new SplittableRandom(run.seed());
        List<Double> adoptions = new ArrayList<>();
        List<Double> starts = new ArrayList<>();
        long lostResidents = 0;
        try (Felix felix = new Felix(lab, "killed", MANY_RESIDENTS, FLOWS, MANY_RESIDENTS + ROOM, run.seed())) {
            felix.start();
            long startMillis = felix.awaitUp().c();
            try (Generator generator = generator(run, felix, MANY_RESIDENTS)) {
                generator.go();
                TimeUnit.MILLISECONDS.sleep(LATEST_KILL_MILLIS);
                for (int kill = 1; kill <= kills; kill++) {
                    felix.kill();
                    felix.start();
                    int moment = random.nextInt(LATEST_KILL_MILLIS);
                    boolean early = kill < kills && random.nextInt(EARLY_KILL) == 0;
                    if (early && !felix.isUpWithin(startMillis * moment / LATEST_KILL_MILLIS)) {
                        continue;
                    }
                    Message up = felix.awaitUp();
                    lostResidents += up.a();
                    adoptions.add((double) up.b());
                    starts.add((double) up.c());
                    TimeUnit.MILLISECONDS.sleep(moment);
                }
                run.count("killed: starts that were killed too", TIMES, kills - adoptions.size());
                run.count("killed: JVM started to flows bypassed", "ms", starts);
                run.limit("killed: slowest adoption", "ms", adoptions.stream().mapToDouble(ms -> ms).max().orElse(0),
                        ADOPTION_GOAL_MILLIS);
                run.limit("killed: flows not adopted", "flows", lostResidents, 0);
                phases.settle("killed", felix, generator);
            }
            run.count("killed: records delivered again", "records", felix.account().repeated());
            run.count("killed: recovered", "records", felix.account().ended(EndReason.RECOVERED));
        }
    }

    private static Generator generator(Run run, Felix felix, int residents) throws IOException {
        try (Descriptor program = Bpf.open(felix.pins().resolve("program"))) {
            return Generator.start(run, Bpf.describeProgram(program.number()).id(), residents, FLOWS, true);
        }
    }

    /** What a process holds. */
    private record Held(long descriptors, long threads, long heap, long bpf) {
        /** The least of some looks: a descriptor that is open for a moment is no leak. */
        static Held by(Felix felix) throws IOException, InterruptedException {
            Held least = look(felix);
            for (int i = 1; i < LOOKS; i++) {
                Held now = look(felix);
                least = new Held(Math.min(least.descriptors, now.descriptors), Math.min(least.threads, now.threads),
                        Math.min(least.heap, now.heap), Math.min(least.bpf, now.bpf));
            }
            return least;
        }

        private static Held look(Felix felix) throws IOException, InterruptedException {
            Message heap = felix.heap();
            long descriptors = 0;
            long bpf = 0;
            for (File descriptor : Path.of("/proc", Long.toString(felix.pid()), "fdinfo").toFile().listFiles()) {
                try (Stream<String> lines = Files.lines(descriptor.toPath())) {
                    bpf += lines.filter(line -> line.startsWith("memlock:"))
                            .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", ""))).sum();
                    descriptors++;
                } catch (NoSuchFileException closed) {
                    continue;
                }
            }
            return new Held(descriptors, heap.b(), heap.a(), bpf);
        }
    }

    private static void soak(Run run, Lab lab, Phases phases, int seconds) throws IOException, InterruptedException {
        run.say("chaos: soak, " + seconds + " s ...");
        try (Felix felix = new Felix(lab, "soak", FEW_RESIDENTS, FLOWS, FEW_RESIDENTS + ROOM, run.seed())) {
            felix.start();
            felix.awaitUp();
            try (Generator generator = generator(run, felix, FEW_RESIDENTS)) {
                generator.go();
                TimeUnit.MILLISECONDS.sleep(seconds * 100L);
                Held first = Held.by(felix);
                TimeUnit.MILLISECONDS.sleep(seconds * 900L);
                Held last = Held.by(felix);
                run.limit("soak: descriptors, more", "descriptors", last.descriptors() - first.descriptors(), 0);
                run.limit("soak: threads, more", "threads", last.threads() - first.threads(),
                        THREADS_THAT_COME_AND_GO);
                run.limit("soak: heap after collection, more", "MiB", (last.heap() - first.heap()) / 1048576.0, 2);
                run.limit("soak: BPF memory, more", "MiB", (last.bpf() - first.bpf()) / 1048576.0, 0);
                phases.settle("soak", felix, generator);
            }
        }
    }
}
