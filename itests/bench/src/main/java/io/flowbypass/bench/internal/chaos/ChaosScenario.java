// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal.chaos;

import io.flowbypass.bench.internal.ClassicCutter;
import io.flowbypass.bench.internal.Run;
import io.flowbypass.bench.internal.Scenario;
import io.flowbypass.flow.EndReason;
import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.BpfObject;
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
    /** Where the program is interrupted: so few that one often ends meanwhile. */
    private static final int FEW_FLOWS = 1000;
    private static final int LITTLE_ROOM = 400;
    /** Flows that stay. */
    private static final int FEW_RESIDENTS = 512;
    private static final int MANY_RESIDENTS = 100_000;
    /** Of kills, one in so many comes while Flowbypass starts. */
    private static final int EARLY_KILL = 4;
    private static final int LATEST_KILL_MILLIS = 500;
    private static final double ADOPTION_GOAL_MILLIS = 2000;
    private static final int LOOKS = 5;
    /** Threads that tell of notices end when there are none for a while. */
    private static final int THREADS_THAT_COME_AND_GO = 2;
    private static final String TIMES = "times";
    private static final String PACKETS = "packets";

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
            exact(run, lab, seconds);
            interrupted(run, lab, seconds);
            killed(run, lab, kills);
            soak(run, lab, soak);
            classic(run, lab, false, seconds);
            classic(run, lab, true, seconds);
        }
    }

    private static void exact(Run run, Lab lab, int seconds) throws IOException, InterruptedException {
        run.say("chaos: exact, " + seconds + " s ...");
        try (Felix felix = new Felix(lab, "exact", FEW_RESIDENTS, FLOWS, FEW_RESIDENTS + ROOM, run.seed())) {
            felix.start();
            felix.awaitUp();
            try (Generator generator = generator(run, felix, FEW_RESIDENTS)) {
                generator.go();
                TimeUnit.SECONDS.sleep(seconds);
                settle(run, "exact", felix, generator);
            }
        }
    }

    private static void interrupted(Run run, Lab lab, int seconds) throws IOException, InterruptedException {
        run.say("chaos: interrupted, " + seconds + " s ...");
        try (Felix felix = new Felix(lab, "interrupted", FEW_RESIDENTS, FEW_FLOWS, FEW_RESIDENTS + LITTLE_ROOM,
                run.seed());
                BpfObject object = run.object("interrupted")) {
            felix.start();
            felix.awaitUp();
            useMaps(object, felix.pins());
            object.load();
            int program = object.programDescriptor("flowbypass");
            lab.attach(program);
            try (Generator generator = Generator.start(run, Bpf.describeProgram(program).id(), FEW_RESIDENTS, FEW_FLOWS, true)) {
                generator.go();
                TimeUnit.SECONDS.sleep(seconds);
                settle(run, "interrupted", felix, generator);
            }
        }
    }

    /** The maps that are pinned there; each has the name of its pin, but for config, which is a section. */
    private static void useMaps(BpfObject object, Path pins) throws IOException {
        try (Stream<Path> all = Files.list(pins)) {
            for (Path pin : all.filter(Files::isRegularFile).toList()) {
                String name = pin.getFileName().toString();
                if (!name.startsWith("program")) {
                    try (Descriptor map = Bpf.open(pin)) {
                        map.run(number -> object.reuse(name.equals("config") ? ".data.config" : name, number));
                    }
                }
            }
        }
    }

    private static void killed(Run run, Lab lab, int kills) throws IOException, InterruptedException {
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
                settle(run, "killed", felix, generator);
            }
            run.count("killed: records delivered again", "records", felix.account().repeated());
            run.count("killed: recovered", "records", felix.account().ended(EndReason.RECOVERED));
        }
    }

    /** Stops all, and compares. */
    private static void settle(Run run, String phase, Felix felix, Generator generator)
            throws IOException, InterruptedException {
        Generator.Totals totals = generator.stop();
        Message ended = felix.end();
        Account account = felix.account();
        if (!account.contradiction().isEmpty()) {
            throw new IOException("Flowbypass is wrong: " + account.contradiction() + ".");
        }
        Account.Difference difference = account.compare(generator.dropped());
        run.count(phase + ": packets", PACKETS, totals.packets());
        run.count(phase + ": cut", PACKETS, totals.dropped());
        run.count(phase + ": records", "records", account.records());
        run.count(phase + ": released", TIMES, account.ended(EndReason.RELEASED));
        run.count(phase + ": expired", TIMES, account.ended(EndReason.POLICY));
        run.count(phase + ": reopened by a SYN", TIMES, account.ended(EndReason.REOPENED));
        run.count(phase + ": cut off by XDP", TIMES, ended.c());
        run.limit(phase + ": lost", PACKETS, difference.lost(), 0);
        run.limit(phase + ": credited to another flow", PACKETS, difference.wrong(), 0);
        run.limit(phase + ": flows that are not exact", "flows", difference.flowsOff(), 0);
        run.limit(phase + ": unaccounted by the ledger", PACKETS, ended.a(), 0);
        run.limit(phase + ": of flows that stay, passed", PACKETS, totals.residentsPassed(), 0);
        run.limit(phase + ": SYNs cut", PACKETS, totals.synsDropped(), 0);
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

    private static void soak(Run run, Lab lab, int seconds) throws IOException, InterruptedException {
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
                settle(run, "soak", felix, generator);
            }
        }
    }

    private void classic(Run run, Lab lab, boolean atOnce, int seconds) throws IOException, InterruptedException {
        String phase = atOnce ? "lookup-and-delete" : "read-then-delete";
        run.say("chaos: classic design, " + phase + ", " + seconds + " s ...");
        Account account = new Account(FEW_FLOWS, 0);
        try (ClassicCutter table = ClassicCutter.loadInterrupted(run, maps, FEW_FLOWS * 2);
                Generator generator = Generator.start(run, Bpf.describeProgram(table.program()).id(), 0, FEW_FLOWS, false)) {
            ReadThenDelete engine = new ReadThenDelete(table, account, atOnce, FEW_FLOWS, run.seed());
            lab.attach(table.program());
            generator.go();
            long begun = System.nanoTime();
            while (System.nanoTime() - begun < TimeUnit.SECONDS.toNanos(seconds)) {
                engine.step();
            }
            Generator.Totals totals = generator.stop();
            engine.end();
            Account.Difference difference = account.compare(generator.dropped());
            run.count(phase + ": cut", PACKETS, totals.dropped());
            run.count(phase + ": ended", TIMES, engine.ended());
            run.count(phase + ": lost", PACKETS, difference.lost());
            run.count(phase + ": credited to another flow", PACKETS, difference.wrong());
        }
    }
}
