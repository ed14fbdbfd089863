// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.classic.internal;

import io.flowbypass.classic.ClassicFlows;
import io.flowbypass.classic.ClassicTableState;
import io.flowbypass.flow.Decision;
import io.flowbypass.flow.Difference;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowState;
import io.flowbypass.flow.FlowSweeper;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.flow.FlowTest;
import io.flowbypass.flow.RecordDelivery;
import io.flowbypass.flow.SweepResult;
import io.flowbypass.maps.MapService;
import io.flowbypass.maps.TypedMap;
import io.flowbypass.xdp.ClassicDialect;
import io.flowbypass.xdp.ClassicTable;
import io.flowbypass.xdp.DataPlane;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/**
 * Sweeps the tables of other tools: shows each entry to the policies, or, where the tool takes its flows out itself, looks for
 * those that it has forgotten; takes out what ends, and what is on the never-cut list.
 *
 * <p>An entry is read again before it is taken out, and stays when it has changed. What XDP adds between its last reading and
 * its end is lost: that is how these maps are made. No lock is held while a test runs.
 */
@Component(immediate = true, service = {FlowSweeper.class, ClassicFlows.class}, configurationPid = "io.flowbypass.classic")
@Designate(ocd = ClassicSweeper.Config.class)
public final class ClassicSweeper implements FlowSweeper, ClassicFlows {
    /** Configuration. */
    @ObjectClassDefinition(name = "Flowbypass tables of other tools", description = "When flows are taken out of the tables"
            + " of tools that take them out themselves.")
    public @interface Config {
        /** Seconds. */
        @AttributeDefinition(name = "Orphans of Suricata", min = "1", max = "86400", description = "After how many seconds"
                + " without a packet an entry of Suricata's is taken out, which Suricata seems to have forgotten.")
        int suricata_orphan_seconds() default 200;

        /** Seconds. */
        @AttributeDefinition(name = "Orphans of Zeek", min = "1", max = "86400", description = "After how many seconds"
                + " without a packet an entry of Zeek's is taken out, which Zeek seems to have forgotten.")
        int zeek_orphan_seconds() default 600;
    }

    private static final Decision NEVER_CUT = Decision.end(EndReason.NEVER_CUT, "");
    private static final Decision ORPHAN = Decision.end(EndReason.IDLE, "orphan");
    private static final int MAX_PAGE = 10_000;

    private final DataPlane dataPlane;
    private final FlowTable flowTable;
    private final RecordDelivery delivery;
    private final int cpus;
    /** Of this service in the ids of its records. */
    private final String since = Long.toHexString(System.currentTimeMillis());
    private final AtomicLong records = new AtomicLong();
    private final AtomicLong recordedPackets = new AtomicLong();
    private final AtomicReference<Walk> unfinished = new AtomicReference<>();
    private volatile Map<Integer, Memory> memories = Map.of();
    private volatile List<ClassicTableState> states = List.of();
    private volatile Config config;

    /** Called by the framework. */
    @Activate
    public ClassicSweeper(@Reference DataPlane dataPlane, @Reference FlowTable flowTable, @Reference RecordDelivery delivery,
            @Reference MapService maps, Config config) {
        this.dataPlane = dataPlane;
        this.flowTable = flowTable;
        this.delivery = delivery;
        this.cpus = maps.possibleCpus();
        this.config = config;
    }

    @Modified
    void modified(Config changed) {
        config = changed;
    }

    /** An entry that is to be taken out. */
    private record Doomed(byte[] key, FlowState flow, Counts counts, Decision why) {
    }

    /** What one sweep did. */
    private static final class Tally {
        private int scanned;
        private int ended;
        private int woken;
    }

    @Override
    public int activeFlows() {
        return states.stream().mapToInt(ClassicTableState::entries).sum();
    }

    @Override
    public int capacity() {
        return (int) Math.min(Integer.MAX_VALUE, states.stream().mapToLong(ClassicTableState::capacity).sum());
    }

    @Override
    public SweepResult sweep(FlowTest test, Duration budget) {
        long begun = System.nanoTime();
        List<ClassicTable> tables = dataPlane.lookAtClassicTables();
        Walk walk = unfinished.getAndSet(null);
        if (walk == null || !walk.isOf(tables)) {
            walk = new Walk(tables, memories, cpus, begun);
        }
        Tally tally = new Tally();
        while (walk.next()) {
            end(walk, decide(walk, test, tally), tally);
            if (System.nanoTime() - begun > budget.toNanos()) {
                unfinished.set(walk);
                return new SweepResult(tally.scanned, tally.ended, tally.woken, false);
            }
        }
        states = walk.states();
        memories = walk.memories();
        return new SweepResult(tally.scanned, tally.ended, tally.woken, true);
    }

    private List<Doomed> decide(Walk walk, FlowTest test, Tally tally) {
        List<Doomed> doomed = new ArrayList<>();
        long now = System.nanoTime();
        boolean paused = dataPlane.paused();
        for (int i = 0; i < walk.size(); i++) {
            EntryView view = walk.show(i, now, paused);
            Decision decision = decide(walk, view, test);
            if (decision.ends()) {
                Counts counts = new Counts();
                counts.set(view.counts());
                doomed.add(new Doomed(walk.key(i), view.state(), counts, decision));
            }
            view.hide();
            tally.scanned++;
        }
        return doomed;
    }

    private Decision decide(Walk walk, EntryView view, FlowTest test) {
        if (flowTable.isNeverCut(view.key())) {
            return NEVER_CUT;
        }
        if (!walk.dialect().toolExpires()) {
            return test.decide(view);
        }
        return view.idleNanos() > orphanNanos(walk.table().dialect()) ? ORPHAN : Decision.KEEP;
    }

    private long orphanNanos(ClassicDialect dialect) {
        return TimeUnit.SECONDS.toNanos(dialect == ClassicDialect.SURICATA ? config.suricata_orphan_seconds()
                : config.zeek_orphan_seconds());
    }

    /** Takes out those that did not change since. */
    private void end(Walk walk, List<Doomed> doomed, Tally tally) {
        List<FlowRecord> ended = new ArrayList<>();
        try {
            for (Doomed each : doomed) {
                end(walk, each, tally).ifPresent(ended::add);
            }
        } finally {
            if (!ended.isEmpty()) {
                recordedPackets.addAndGet(ended.stream().mapToLong(record -> record.flow().packets()).sum());
                delivery.deliver(ended);
            }
        }
    }

    private Optional<FlowRecord> end(Walk walk, Doomed doomed, Tally tally) {
        Counts last = new Counts();
        if (doomed.why != NEVER_CUT) {
            if (!read(walk, walk.entries().lookup(doomed.key), last)) {
                return Optional.empty();
            }
            if (!last.isSame(doomed.counts)) {
                tally.woken++;
                return Optional.empty();
            }
        }
        if (!read(walk, walk.entries().lookupAndDelete(doomed.key), last)) {
            return Optional.empty();
        }
        tally.ended++;
        return Optional.of(record(walk, doomed, last));
    }

    private static boolean read(Walk walk, Optional<?> value, Counts into) {
        value.ifPresent(present -> walk.dialect().read(Dialect.flat(present), 0, into));
        return value.isPresent();
    }

    private FlowRecord record(Walk walk, Doomed ended, Counts last) {
        FlowState flow = EntryView.withCounts(ended.flow, last);
        String id = "classic-" + since + "-" + walk.table().map().info().id() + "-" + records.incrementAndGet();
        return new FlowRecord(id, flow, ended.why.reason(), ended.why.detail());
    }

    @Override
    public List<Difference> compare(FlowTest active, FlowTest other, int limit) {
        List<Difference> differences = new ArrayList<>();
        Walk walk = look();
        while (differences.size() < limit && walk.next()) {
            long now = System.nanoTime();
            for (int i = 0; i < walk.size() && differences.size() < limit && !walk.dialect().toolExpires(); i++) {
                EntryView view = walk.show(i, now, false);
                Decision first = active.decide(view);
                Decision second = other.decide(view);
                if (first.ends() != second.ends()) {
                    differences.add(new Difference(view.key(), first, second));
                }
                view.hide();
            }
        }
        return differences;
    }

    private Walk look() {
        return new Walk(dataPlane.classicTables(), Memory.looks(memories), cpus, System.nanoTime());
    }

    @Override
    public List<FlowState> list(int offset, int limit) {
        if (offset < 0 || limit < 1 || limit > MAX_PAGE) {
            throw new IllegalArgumentException("offset " + offset + " and limit " + limit
                    + " are out of range: at least 0, and 1 to " + MAX_PAGE);
        }
        List<FlowState> page = new ArrayList<>();
        Walk walk = look();
        int skip = offset;
        while (page.size() < limit && walk.next()) {
            for (int i = Math.min(skip, walk.size()); i < walk.size() && page.size() < limit; i++) {
                page.add(walk.show(i, System.nanoTime(), false).state());
            }
            skip -= Math.min(skip, walk.size());
        }
        return page;
    }

    @Override
    public List<FlowState> find(FlowKey key) {
        List<FlowState> found = new ArrayList<>();
        Map<Integer, Memory> looks = Memory.looks(memories);
        for (ClassicTable table : dataPlane.classicTables()) {
            Dialect dialect = Dialect.of(table, cpus);
            TypedMap<byte[], ?> entries = dialect.entries(table.map());
            EntryView view = new EntryView(dialect, looks.getOrDefault(table.map().info().id(), new Memory()));
            for (byte[] each : dialect.keys(key)) {
                entries.lookup(each).ifPresent(value -> {
                    ByteBuffer bytes = ByteBuffer.wrap(each).order(ByteOrder.nativeOrder());
                    view.show(bytes, 0, Dialect.flat(value), 0, System.nanoTime(), false);
                    found.add(view.state());
                });
            }
        }
        return found;
    }

    @Override
    public List<ClassicTableState> tables() {
        return states;
    }

    @Override
    public long recordedPackets() {
        return recordedPackets.get();
    }
}
