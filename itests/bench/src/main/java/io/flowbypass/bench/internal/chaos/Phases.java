// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal.chaos;

import io.flowbypass.bench.internal.ClassicCutter;
import io.flowbypass.bench.internal.Run;
import io.flowbypass.flow.EndReason;
import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.BpfObject;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.maps.MapService;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Parts of a scenario, each of which says how what was counted differs from what was dropped. For one thread. */
final class Phases {
    static final int FEW_RESIDENTS = 512;
    static final String TIMES = "times";
    static final String PACKETS = "packets";
    /** Where the program is interrupted: so few that one often ends meanwhile. */
    private static final int FEW_FLOWS = 1000;
    private static final int LITTLE_ROOM = 400;

    private final Run run;
    private final String scenario;
    private final Lab lab;
    private final MapService maps;

    /** Of a run, with the map service for the classic design. */
    Phases(Run run, Lab lab, MapService maps) {
        this.run = run;
        this.scenario = run.scenario();
        this.lab = lab;
        this.maps = maps;
    }

    /** Flowbypass, whose program now and then stands still in the middle of a packet. */
    Account.Difference interrupted(String phase, int seconds) throws IOException, InterruptedException {
        run.say(scenario + ": " + phase + ", " + seconds + " s ...");
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
                return settle(phase, felix, generator);
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

    /** Stops all, and compares. */
    Account.Difference settle(String phase, Felix felix, Generator generator)
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
        return difference;
    }

    /** A hash map of the classic design, whose program does likewise, and whose entries are taken out in one system call or two. */
    Account.Difference classic(boolean atOnce, int seconds) throws IOException, InterruptedException {
        String phase = atOnce ? "lookup-and-delete" : "read-then-delete";
        run.say(scenario + ": classic design, " + phase + ", " + seconds + " s ...");
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
            return difference;
        }
    }
}
