// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.CutAction;
import io.flowbypass.flow.Decision;
import io.flowbypass.flow.Difference;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowState;
import io.flowbypass.flow.FlowSweeper;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.flow.FlowTest;
import io.flowbypass.flow.Origin;
import io.flowbypass.flow.Protocols;
import io.flowbypass.flow.SweepResult;
import io.flowbypass.flow.TableFullException;
import io.flowbypass.flow.TableStatistics;
import io.flowbypass.maps.Gate;
import io.flowbypass.table.internal.Closer.Closing;
import io.flowbypass.xdp.DataPlane;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Bypass, release, sweep and harvest over the native table.
 *
 * <p>One lock orders all changes; it is held neither over a grace period nor while a policy or a listener runs. Sweeps
 * read without it and take it for each flow that they end.
 */
final class NativeFlowTable implements FlowTable, FlowSweeper {
    private static final int MAX_PAGE = 10_000;
    /** Slots between two looks at the clock: cheap beside them, and often enough for a policy that takes its time. */
    private static final int CLOCK_EVERY = 256;
    private static final Decision REOPENED = Decision.end(EndReason.REOPENED, "");

    private static final Decision NEVER_CUT = Decision.end(EndReason.NEVER_CUT, "");

    /** How much of the table is taken: by flows, by those that ended and whose records are not taken, by the reserve. */
    record Room(int taken, int closing, int capacity, long refused) {
        int percent() {
            return (int) (100L * taken / capacity);
        }

        @Override
        public String toString() {
            return taken + " of " + capacity + " flows"
                    + (closing == 0 ? "" : ", " + closing + " of which have ended and wait for their records to be taken");
        }
    }

    /** How long a slot stays CLAIMED at most: XDP decides within microseconds, a hypervisor may stop its CPU meanwhile. */
    private static final long CLAIM_NANOS = 100_000_000;
    /** Of a small table, XDP is lent this part at most. */
    private static final int LARGEST_RESERVE = 16;

    private final NativeTable table;
    private final Gate gate;
    private final DataPlane dataPlane;
    private final Ledger ledger;
    private final Delivery delivery;
    private final Reserve reserve;
    private final Runnable grace;
    private final Closer closer;
    private final Answers answers = new Answers();
    private final Slots slots;
    private final ReentrantLock lock = new ReentrantLock();
    private final TableKey scratch = new TableKey();

    private volatile int highWater;
    private volatile int touched;
    private volatile int active;
    /** Of {@link #active}, by the ordinals of {@link Origin}. */
    private final int[] activeOf = new int[Origin.values().length];
    private volatile int resumeAt;
    private volatile boolean stopped;
    /** Null until there is one in force. */
    private volatile NeverCut neverCut;
    private int closing;
    private long added;
    private long ended;
    private long refused;

    NativeFlowTable(NativeTable table, Gate gate, DataPlane dataPlane, Ledger ledger, Delivery delivery, Reserve reserve,
            Runnable grace) {
        this.table = table;
        this.gate = gate;
        this.dataPlane = dataPlane;
        this.ledger = ledger;
        this.delivery = delivery;
        this.reserve = reserve;
        this.grace = grace;
        this.slots = new Slots(table.capacity());
        this.closer = new Closer(grace, delivery::room, this::harvest, this::answerEarly);
    }

    /**
     * Adopts what is in the table, while XDP is kept from cutting flows off by itself; returns what was found, for the log.
     */
    String start() {
        grace.run();
        // What was lent and not taken is FREE, and found so.
        reserve.reclaim(slot -> { });
        Recovery recovery = new Recovery(table, slots);
        enter();
        try {
            recovery.run(slot -> closer.add(new Closing(slot, "", null)));
        } finally {
            gate.exit();
        }
        for (Origin origin : Origin.values()) {
            countActive(origin, recovery.live(origin));
        }
        closing = recovery.closing();
        touched = recovery.touched();
        highWater = slots.highWater();
        closer.start();
        return active + " flows adopted, " + closing + " resumed on their way out";
    }

    /** Ends all changes: the memory may belong to the next table from here on, which a hung policy's sweep must not touch. */
    void stop() {
        lock.lock();
        try {
            stopped = true;
        } finally {
            lock.unlock();
        }
        closer.stop();
        answers.stop();
    }

    @Override
    public boolean bypass(BypassRequest request) {
        FlowKey key = request.key();
        refuseUncuttable(request);
        return changing(() -> {
            if (neverCut == null) {
                throw new IllegalStateException(key + " is not bypassed: it is not known yet what is never cut; the log"
                        + " says what is wrong with never.cut in io.flowbypass.table.cfg or this machine's addresses");
            }
            neverCut.refuse(key);
            int forward = scratch.set(key);
            int there = table.find(scratch);
            if (there >= 0) {
                if (!table.isReopened(there)) {
                    return false;
                }
                unlink(there, REOPENED, null);
            }
            int slot = slots.take();
            if (slot < 0) {
                refused++;
                throw new TableFullException("table full: " + room()
                        + "; raise capacity in io.flowbypass.xdp.cfg or shorten the idle timeouts");
            }
            table.write(slot, scratch, forward, request, System.nanoTime());
            // Before the first packet can be counted, so that no sum misses it.
            touched = Math.max(touched, slot + 1);
            highWater = slots.highWater();
            if (!table.publish(slot, scratch)) {
                free(slot);
                refused++;
                throw new TableFullException("table full around " + key + ": both its buckets are taken, with "
                        + slots.taken() + " of " + table.capacity() + " flows; raise capacity in io.flowbypass.xdp.cfg");
            }
            if (isCutOffMeanwhile(slot)) {
                table.unpublish(slot);
                free(slot);
                return false;
            }
            table.setState(slot, Layout.LIVE);
            added++;
            countActive(request.origin(), 1);
            return true;
        });
    }

    /**
     * Whether XDP cuts the flow of a CLAIMED slot off by itself, in a slot from the reserve. Both publish first and look
     * then, so one of them sees the other at least; XDP withdraws when it does, and here it is waited for.
     */
    private boolean isCutOffMeanwhile(int slot) {
        long end = System.nanoTime() + CLAIM_NANOS;
        for (int other = table.findOther(slot, scratch); other >= 0; other = table.findOther(slot, scratch)) {
            // Not the other one's state: it may have withdrawn, and have another flow already.
            if (table.find(scratch) >= 0 || System.nanoTime() - end > 0) {
                return true;
            }
            Thread.onSpinWait();
        }
        return false;
    }

    /** Under the lock: gives back a slot that was written and never LIVE. */
    private void free(int slot) {
        table.free(slot);
        slots.free(slot);
        highWater = slots.highWater();
    }

    /** Under the lock. */
    private void countActive(Origin origin, int more) {
        active += more;
        activeOf[origin.ordinal()] += more;
    }

    private void refuseUncuttable(BypassRequest request) {
        FlowKey key = request.key();
        boolean hasPorts = Protocols.hasPorts(key.protocol());
        if (!hasPorts && !request.hostPair()) {
            throw new IllegalArgumentException(key + " has no ports: all of its protocol between the two addresses would be"
                    + " cut; ask for a host pair (hostPair) if that is meant");
        }
        if (!hasPorts && (key.sourcePort() != 0 || key.destinationPort() != 0)) {
            throw new IllegalArgumentException(key + " has no ports, but names some: both must be 0");
        }
        if (hasPorts && request.hostPair()) {
            throw new IllegalArgumentException(key + " has ports: a host pair (hostPair) is for protocols without them");
        }
        if ((key.outerVlan() != 0 || key.innerVlan() != 0) && !dataPlane.tracksVlans()) {
            throw new IllegalArgumentException(key + " names a VLAN, but VLANs are not tracked: leave it out, or set"
                    + " vlan.tracking in io.flowbypass.xdp.cfg");
        }
        if (request.action() == CutAction.REDIRECT && !dataPlane.hasRedirectPort(request.redirectPort())) {
            throw new IllegalArgumentException("there is no redirect port " + request.redirectPort()
                    + ": name it in redirect.ports in io.flowbypass.xdp.cfg, with an interface that is there");
        }
    }

    // Automatic cut-off and the never-cut list.

    private void settle(int slot) {
        if (reserve.settle(slot)) {
            countActive(table.origin(slot), 1);
            added++;
        }
    }

    /** Adopts what XDP took, and lends it as many slots as it is to have: none when it cuts nothing off by itself. */
    void tendReserve(boolean cutoff) {
        changing(() -> {
            for (int slot = reserve.next(0); slot >= 0; slot = reserve.next(slot + 1)) {
                if (table.state(slot) == Layout.LIVE) {
                    settle(slot);
                }
            }
            if (!cutoff) {
                reserve.reclaim(slots::free);
            }
            int wanted = cutoff ? Math.min(Layout.RESERVE, table.capacity() / LARGEST_RESERVE) : 0;
            while (reserve.lent() < wanted) {
                int slot = slots.take();
                if (slot < 0) {
                    break;
                }
                touched = Math.max(touched, slot + 1);
                highWater = slots.highWater();
                try {
                    reserve.lend(slot);
                } catch (RuntimeException refused) {
                    slots.free(slot);
                    throw refused;
                }
            }
            highWater = slots.highWater();
            return null;
        });
    }

    /** Refuses from here on to bypass what a never-cut list names. */
    void refuseNeverCut(NeverCut list) {
        changing(() -> {
            neverCut = list;
            return null;
        });
    }

    /**
     * Puts a never-cut list into force, and takes out what it names.
     *
     * @param inKernel puts it into force for automatic cut-off
     * @return how many flows were taken out
     */
    int setNeverCut(NeverCut list, Consumer<NeverCut> inKernel) {
        refuseNeverCut(list);
        enter();
        try {
            inKernel.accept(list);
            // Whatever XDP cuts off by the list before is LIVE then.
            grace.run();
            int count = 0;
            for (int slot = 0; slot < highWater; slot++) {
                if (table.state(slot) == Layout.LIVE && endWhereNamed(slot, list)) {
                    count++;
                }
            }
            return count;
        } finally {
            gate.exit();
        }
    }

    private boolean endWhereNamed(int slot, NeverCut list) {
        int generation = table.generation(slot);
        if (list.naming(table.flowKey(slot)).isEmpty()) {
            return false;
        }
        lock.lock();
        try {
            if (stopped || table.state(slot) != Layout.LIVE || table.generation(slot) != generation) {
                return false;
            }
            unlink(slot, NEVER_CUT, null);
            return true;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public CompletableFuture<Optional<FlowRecord>> release(FlowKey key) {
        CompletableFuture<Optional<FlowRecord>> asked = new CompletableFuture<>();
        boolean found = changing(() -> {
            scratch.set(key);
            int slot = table.find(scratch);
            if (slot >= 0) {
                unlink(slot, Decision.end(EndReason.RELEASED, ""), asked);
            }
            return slot >= 0;
        });
        if (!found) {
            asked.complete(Optional.empty());
        }
        return asked;
    }

    @Override
    public int flush() {
        Decision flushed = Decision.end(EndReason.FLUSHED, "");
        return changing(() -> {
            int count = 0;
            for (int slot = 0; slot < highWater; slot++) {
                if (table.state(slot) == Layout.LIVE) {
                    unlink(slot, flushed, null);
                    count++;
                }
            }
            return count;
        });
    }

    @Override
    public boolean isNeverCut(FlowKey key) {
        NeverCut list = neverCut;
        return list == null || list.naming(key).isPresent();
    }

    @Override
    public Optional<FlowState> find(FlowKey key) {
        return changing(() -> {
            scratch.set(key);
            int slot = table.find(scratch);
            return slot < 0 ? Optional.empty() : Optional.of(table.flowState(slot));
        });
    }

    @Override
    public List<FlowState> list(int offset, int limit) {
        if (offset < 0 || limit < 1 || limit > MAX_PAGE) {
            throw new IllegalArgumentException("offset " + offset + " and limit " + limit
                    + " are out of range: at least 0, and 1 to " + MAX_PAGE);
        }
        return changing(() -> {
            List<FlowState> page = new ArrayList<>();
            int skip = offset;
            for (int slot = 0; slot < highWater && page.size() < limit; slot++) {
                if (table.state(slot) == Layout.LIVE && skip-- <= 0) {
                    page.add(table.flowState(slot));
                }
            }
            return page;
        });
    }

    @Override
    public int activeFlows() {
        return active;
    }

    @Override
    public int activeFlows(Origin origin) {
        return changing(() -> activeOf[origin.ordinal()]);
    }

    @Override
    public int capacity() {
        return table.capacity();
    }

    /** How full the table is, without a look at its memory. */
    Room room() {
        lock.lock();
        try {
            return new Room(slots.taken(), closing, table.capacity(), refused);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public TableStatistics statistics() {
        enter();
        try {
            Ledger.Account account = ledger.close(() -> table.packetsEverCut(touched));
            long lost = delivery.lost();
            lock.lock();
            try {
                return new TableStatistics(active, closing, table.capacity(), added, ended, refused, lost,
                        account.packets(), account.bytes(), account.unaccounted());
            } finally {
                lock.unlock();
            }
        } finally {
            gate.exit();
        }
    }

    // Sweeps.

    @Override
    public SweepResult sweep(FlowTest test, Duration budget) {
        enter();
        try {
            return new SweepRun(test, budget).run();
        } finally {
            gate.exit();
        }
    }

    /** One sweep: from where the last one's budget ended, once around. */
    private final class SweepRun {
        private final FlowTest test;
        private final long end;
        private final SlotView view = new SlotView(table);
        private int scanned;
        private int endedHere;
        private int woken;

        SweepRun(FlowTest test, Duration budget) {
            this.test = test;
            this.end = System.nanoTime() + budget.toNanos();
        }

        SweepResult run() {
            int slotsToSee = highWater;
            int slot = resumeAt < slotsToSee ? resumeAt : 0;
            int left = slotsToSee;
            while (left > 0 && !stopped) {
                int next = slot + Math.min(CLOCK_EVERY, Math.min(left, slotsToSee - slot));
                lookAt(slot, next);
                left -= next - slot;
                slot = next == slotsToSee ? 0 : next;
                view.refreshClock();
                if (left > 0 && System.nanoTime() - end >= 0) {
                    resumeAt = slot;
                    return new SweepResult(scanned, endedHere, woken, false);
                }
            }
            resumeAt = 0;
            return new SweepResult(scanned, endedHere, woken, !stopped);
        }

        /** Called often, so that it is compiled from its beginning, and not in the middle of a loop that runs for long. */
        private void lookAt(int from, int to) {
            for (int slot = from; slot < to && !stopped; slot++) {
                if (view.show(slot)) {
                    look(slot);
                }
            }
        }

        private void look(int slot) {
            Decision decision;
            try {
                decision = view.isReopened() ? REOPENED : test.decide(view);
            } finally {
                view.hide();
            }
            scanned++;
            if (decision.ends()) {
                end(slot, decision);
            }
        }

        private void end(int slot, Decision decision) {
            lock.lock();
            try {
                if (stopped || table.state(slot) != Layout.LIVE || !view.isSameBypass(slot)) {
                    return;
                }
                table.setEndReason(slot, decision.reason());
                table.setState(slot, Layout.CLOSING);
                // XDP may have counted a packet between the decision and the store above.
                if (view.isUnchanged(slot)) {
                    close(slot, decision.detail(), null);
                    endedHere++;
                } else {
                    table.setState(slot, Layout.LIVE);
                    woken++;
                }
            } finally {
                lock.unlock();
            }
        }
    }

    @Override
    public List<Difference> compare(FlowTest activeTest, FlowTest other, int limit) {
        enter();
        SlotView view = new SlotView(table);
        try {
            List<Difference> differences = new ArrayList<>();
            for (int slot = 0; slot < highWater && differences.size() < limit; slot++) {
                if (view.show(slot)) {
                    Decision now = activeTest.decide(view);
                    Decision then = other.decide(view);
                    if (now.ends() != then.ends()) {
                        differences.add(new Difference(view.key(), now, then));
                    }
                }
            }
            return differences;
        } finally {
            view.hide();
            gate.exit();
        }
    }

    // The way out.

    /** Under the lock: takes a LIVE flow out, whatever came meanwhile. */
    private void unlink(int slot, Decision why, CompletableFuture<Optional<FlowRecord>> asked) {
        table.setEndReason(slot, why.reason());
        table.setState(slot, Layout.CLOSING);
        close(slot, why.detail(), asked);
    }

    /** Under the lock: lets nobody find a CLOSING flow any more, and queues it for its harvest. */
    private void close(int slot, String detail, CompletableFuture<Optional<FlowRecord>> asked) {
        settle(slot);
        table.unpublish(slot);
        countActive(table.origin(slot), -1);
        closing++;
        closer.add(new Closing(slot, detail, asked));
    }

    /** On the closer's thread, after the grace: the counters are final. */
    private void harvest(List<Closing> batch) {
        List<FlowRecord> records = records(batch);
        lock.lock();
        try {
            ended += batch.size();
        } finally {
            lock.unlock();
        }
        delivery.deliver(records, () -> free(batch));
        answers.give(batch, records);
    }

    /** On the closer's thread, after the grace: the same records come again with the harvest. */
    private void answerEarly(List<Closing> asked) {
        answers.give(asked, records(asked));
    }

    private List<FlowRecord> records(List<Closing> batch) {
        enter();
        try {
            return batch.stream().map(closed -> new FlowRecord(id(closed.slot()), table.flowState(closed.slot()),
                    table.endReason(closed.slot()), closed.detail())).toList();
        } finally {
            gate.exit();
        }
    }

    private String id(int slot) {
        return id(dataPlane.tableId(), slot, table.generation(slot));
    }

    static String id(long tableId, int slot, int generation) {
        return Long.toHexString(tableId) + "-" + slot + "-" + Integer.toUnsignedString(generation);
    }

    private void free(List<Closing> batch) {
        // A table that is gone meanwhile leaves the slots CLOSING, and the next start delivers their records again.
        if (!gate.enter()) {
            return;
        }
        lock.lock();
        try {
            for (Closing closed : batch) {
                table.free(closed.slot());
                slots.free(closed.slot());
            }
            closing -= batch.size();
            highWater = slots.highWater();
        } finally {
            lock.unlock();
            gate.exit();
        }
    }

    private void enter() {
        if (!gate.enter()) {
            throw gone();
        }
    }

    private static IllegalStateException gone() {
        return new IllegalStateException("the flow table is gone: its bundle was stopped or restarted; get the service"
                + " anew");
    }

    /** Runs a change, or a look that must not meet one, inside the gate and under the lock. */
    private <T> T changing(Supplier<T> change) {
        enter();
        lock.lock();
        try {
            if (stopped) {
                throw gone();
            }
            return change.get();
        } finally {
            lock.unlock();
            gate.exit();
        }
    }
}
