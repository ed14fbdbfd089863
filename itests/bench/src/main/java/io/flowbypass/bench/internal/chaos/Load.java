// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal.chaos;

import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.Decision;
import io.flowbypass.flow.Direction;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.flow.FlowTest;
import io.flowbypass.flow.FlowView;
import io.flowbypass.flow.TableFullException;
import io.flowbypass.flow.TableStatistics;
import io.flowbypass.policy.ExpiryPolicy;
import io.flowbypass.policy.PolicyName;
import io.flowbypass.policy.Sweep;
import io.flowbypass.xdp.CutoffOutcome;
import io.flowbypass.xdp.DataPlane;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;

/**
 * The load in a Flowbypass that the scenario has started: bypasses all residents, then bypasses and releases the other flows at
 * random, as fast as it can; and a policy by which those end after a few packets. Residents stay until the end is asked for.
 */
@Component(immediate = true, service = ExpiryPolicy.class)
@PolicyName(Load.NAME)
public final class Load implements ExpiryPolicy {
    static final String NAME = "load";
    /** Framework property: how often this table had been started before. Each start has another load. */
    static final String START = "flowbypass.bench.start";
    private static final int THREADS = 2;
    /** The timeout of a resident's own, by which the policy knows it. */
    private static final Duration FOR_EVER = Duration.ofDays(7);
    /** Looked at before a flow of few packets is kept: about every third ends in a sweep. */
    private static final int PACKETS_BEFORE_THE_END = 3;
    private static final long POLL_NANOS = 1_000_000;

    private final int start;
    private final Line line;
    private final FlowTable table;
    private final DataPlane dataPlane;
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean ended;

    /** Begins. */
    @Activate
    public Load(BundleContext context, @Reference Line line, @Reference FlowTable table, @Reference DataPlane dataPlane) {
        start = Integer.parseInt(context.getProperty(START));
        this.line = line;
        this.table = table;
        this.dataPlane = dataPlane;
        line.onRequest(request -> end());
        threads.add(new Thread(this::begin, "load"));
        threads.get(0).start();
    }

    @Deactivate
    void deactivate() {
        ended = true;
    }

    private void begin() {
        SplittableRandom random = new SplittableRandom(line.config().seed() + start);
        long added = 0;
        for (int flow = 0; flow < line.config().residents() && !ended; flow++) {
            if (bypassResident(Numbered.key(flow))) {
                added++;
            }
        }
        long sinceJvm = System.currentTimeMillis() - ManagementFactory.getRuntimeMXBean().getStartTime();
        line.send(List.of(Message.of(Message.UP, added, line.adoptionMillis(), sinceJvm)));
        for (int i = 1; i < THREADS; i++) {
            SplittableRandom own = random.split();
            Thread thread = new Thread(() -> churn(own), "load");
            threads.add(thread);
            thread.start();
        }
        churn(random);
    }

    /** Until it is known what is never cut, nothing is bypassed: then it is tried again. */
    private boolean bypassResident(FlowKey key) {
        while (!ended) {
            try {
                return table.bypass(BypassRequest.of(key).withIdleTimeout(FOR_EVER));
            } catch (IllegalStateException notYet) {
                LockSupport.parkNanos(POLL_NANOS);
            }
        }
        return false;
    }

    private void churn(SplittableRandom random) {
        try {
            while (!ended) {
                FlowKey key = Numbered.key(line.config().residents() + Numbered.low(random, line.config().flows()));
                if (random.nextBoolean()) {
                    key = key.reversed();
                }
                try {
                    if (!table.bypass(BypassRequest.of(key)) && random.nextBoolean()) {
                        table.release(key);
                    }
                } catch (TableFullException full) {
                    table.release(key);
                }
            }
        } catch (IllegalStateException gone) {
            // The table has been stopped.
        }
    }

    @Override
    public FlowTest begin(Sweep sweep) {
        return Load::decide;
    }

    private static Decision decide(FlowView flow) {
        if (flow.idleTimeoutNanos(0) != 0) {
            return Decision.KEEP;
        }
        long packets = flow.packets(Direction.FORWARD) + flow.packets(Direction.REVERSE);
        return packets % PACKETS_BEFORE_THE_END == PACKETS_BEFORE_THE_END - 1 ? Decision.end(EndReason.POLICY, NAME) : Decision.KEEP;
    }

    /** Ends all flows, and tells when each record has been taken. */
    private void end() {
        ended = true;
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
        TableStatistics now;
        do {
            table.flush();
            LockSupport.parkNanos(POLL_NANOS);
            now = table.statistics();
        } while (now.activeFlows() + now.closingFlows() > 0);
        line.send(List.of(Message.of(Message.ENDED, now.unaccountedPackets(), now.flowsAdded(),
                dataPlane.cutoffs().get(CutoffOutcome.DONE), now.refusedBypasses(), now.undeliveredRecords())));
    }
}
