// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal.chaos;

import io.flowbypass.bench.internal.Run;
import io.flowbypass.bench.internal.Scenario;
import io.flowbypass.maps.MapService;
import java.io.IOException;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * The race of expiry against traffic: a short part of {@link ChaosScenario}. Flows are bypassed and taken out as fast as that goes
 * while their packets run, and what the generator saw dropped of each flow is held against its records; then the same with a hash map
 * of the classic design, whose entries are read and then deleted, or read and deleted by one system call. Both programs now and then
 * stand still in the middle of a packet. A packet is lost that was dropped and is in no record of its flow.
 */
@Component
public final class ExactScenario implements Scenario {
    private static final int SECONDS = 10;
    private static final int QUICK_SECONDS = 1;

    private final MapService maps;

    /** Uses the service for the classic design. */
    @Activate
    public ExactScenario(@Reference MapService maps) {
        this.maps = maps;
    }

    @Override
    public String name() {
        return "exact";
    }

    @Override
    public void run(Run run) throws IOException, InterruptedException {
        int seconds = run.size("seconds", SECONDS, QUICK_SECONDS);
        run.size("seed", run.seed(), run.seed());
        try (Lab lab = new Lab(run)) {
            Phases phases = new Phases(run, lab, maps);
            Account.Difference ours = phases.interrupted("Flowbypass", seconds);
            Account.Difference readThenDelete = phases.classic(false, seconds);
            Account.Difference lookupAndDelete = phases.classic(true, seconds);
            run.limit("lostByUs", Phases.PACKETS, ours.lost() + ours.wrong(), 0);
            run.count("lostByClassic", Phases.PACKETS, readThenDelete.lost() + readThenDelete.wrong());
            run.count("lostByClassicAtOnce", Phases.PACKETS, lookupAndDelete.lost() + lookupAndDelete.wrong());
        }
    }
}
