// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.expiry.internal;

import io.flowbypass.flow.Difference;
import io.flowbypass.flow.FlowSweeper;
import io.flowbypass.flow.FlowTest;
import io.flowbypass.flow.SweepResult;
import io.flowbypass.policy.Sweep;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.ToIntFunction;

/** Sweeps all tables by one list of policies, and keeps the numbers. {@link #run} and {@link #compare} run on the worker. */
final class Sweeps {
    private static final Logger LOG = System.getLogger(Sweeps.class.getName());
    private static final int PRESSURE_PERCENT = 90;
    private static final int RELIEF_PERCENT = 80;
    private static final double NANOS_PER_MILLI = 1e6;

    private final Policies policies;
    private final Notices notices;
    private final List<Table> tables = new CopyOnWriteArrayList<>();
    private volatile Totals totals = new Totals(0, 0, 0, 0, 0);

    /** What an operator sees of the sweeps. */
    record Totals(long sweeps, double lastMillis, int lastScanned, int lastExpired, long expired) {
    }

    private record Begun(long nowNanos, int activeFlows, int capacity) implements Sweep {
    }

    /** One table, and what was last said of it. The flags belong to the worker. */
    private static final class Table {
        final FlowSweeper sweeper;
        boolean failing;
        boolean pressed;

        Table(FlowSweeper sweeper) {
            this.sweeper = sweeper;
        }
    }

    Sweeps(Policies policies, Notices notices) {
        this.policies = policies;
        this.notices = notices;
    }

    void add(FlowSweeper sweeper) {
        tables.add(new Table(sweeper));
    }

    void remove(FlowSweeper sweeper) {
        tables.removeIf(table -> table.sweeper == sweeper);
    }

    Totals totals() {
        return totals;
    }

    boolean hasTables() {
        return !tables.isEmpty();
    }

    /**
     * Sweeps every table once. Without a policy every flow is kept, but the tables still take out those that reopened.
     *
     * @param budget the longest time for one table
     * @return flows that were ended
     */
    int run(PolicyCalls calls, Duration budget) {
        List<Table> now = List.copyOf(tables);
        if (now.isEmpty()) {
            return 0;
        }
        List<InstalledPolicy> asked = policies.active();
        long number = nextNumber();
        LOG.log(Level.DEBUG, () -> "sweep " + number + " of " + now.size() + " tables by " + Policies.names(asked));
        long start = System.nanoTime();
        PolicyChain chain = new PolicyChain(asked, begun(now, start), calls);
        int scanned = 0;
        int ended = 0;
        for (Table table : now) {
            SweepResult result = sweep(table, chain, budget, calls);
            scanned += result.scanned();
            ended += result.ended();
        }
        if (calls.isAbandoned()) {
            throw new PolicyCalls.AbandonedException();
        }
        done((System.nanoTime() - start) / NANOS_PER_MILLI, scanned, ended);
        policies.judge(asked, chain.failures(), number);
        now.forEach(this::watchPressure);
        return ended;
    }

    private SweepResult sweep(Table table, FlowTest test, Duration budget, PolicyCalls calls) {
        try {
            SweepResult result = table.sweeper.sweep(test, budget);
            table.failing = false;
            return result;
        } catch (RuntimeException | LinkageError e) {
            if (calls.isAbandoned()) {
                throw e;
            }
            boolean news = tables.contains(table) && !table.failing;
            table.failing = true;
            LOG.log(news ? Level.WARNING : Level.DEBUG, "a sweep of " + table.sweeper.getClass().getName()
                    + " failed; the next one tries again", e);
            return new SweepResult(0, 0, 0, false);
        }
    }

    /**
     * Where two lists of policies differ over the flows of all tables.
     *
     * @throws IllegalStateException when a policy fails
     */
    List<Difference> compare(List<InstalledPolicy> others, int limit, PolicyCalls calls) {
        List<Table> now = List.copyOf(tables);
        Begun begun = begun(now, System.nanoTime());
        PolicyChain active = new PolicyChain(policies.active(), begun, calls);
        PolicyChain other = new PolicyChain(others, begun, calls);
        List<Difference> differences = new ArrayList<>();
        for (Table table : now) {
            if (differences.size() < limit) {
                differences.addAll(table.sweeper.compare(active, other, limit - differences.size()));
            }
        }
        for (PolicyChain chain : List.of(active, other)) {
            chain.failures().forEach((policy, failure) -> {
                throw new IllegalStateException("cannot compare: the " + failure + " of policy " + policy);
            });
        }
        return differences;
    }

    private static Begun begun(List<Table> tables, long nowNanos) {
        return new Begun(nowNanos, sum(tables, FlowSweeper::activeFlows), sum(tables, FlowSweeper::capacity));
    }

    private static int sum(List<Table> tables, ToIntFunction<FlowSweeper> number) {
        int sum = 0;
        for (Table table : tables) {
            try {
                sum += number.applyAsInt(table.sweeper);
            } catch (IllegalStateException e) {
                LOG.log(Level.DEBUG, "a table went away as the sweep began", e);
            }
        }
        return sum;
    }

    private void watchPressure(Table table) {
        int capacity = sum(List.of(table), FlowSweeper::capacity);
        int flows = sum(List.of(table), FlowSweeper::activeFlows);
        int percent = capacity == 0 ? 0 : (int) (100L * flows / capacity);
        if (percent >= PRESSURE_PERCENT && !table.pressed) {
            table.pressed = true;
            notices.pressure(Level.WARNING, "the flow table is " + percent + " % full: " + flows + " of " + capacity
                    + " flows; at 100 % new bypasses are refused. Shorten the timeouts or raise the capacity");
        } else if (percent < RELIEF_PERCENT) {
            table.pressed = false;
        }
    }

    private synchronized long nextNumber() {
        Totals t = totals;
        totals = new Totals(t.sweeps + 1, t.lastMillis, t.lastScanned, t.lastExpired, t.expired);
        return t.sweeps + 1;
    }

    private synchronized void done(double millis, int scanned, int ended) {
        Totals t = totals;
        totals = new Totals(t.sweeps, millis, scanned, ended, t.expired + ended);
    }
}
