// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.CutAction;
import io.flowbypass.flow.Decision;
import io.flowbypass.flow.Direction;
import io.flowbypass.flow.DirectionCounts;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowTest;
import io.flowbypass.flow.FlowView;
import io.flowbypass.flow.Origin;
import io.flowbypass.flow.SweepResult;
import io.flowbypass.flow.TableFullException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class NativeFlowTableTest {
    private static final FlowKey KEY = FlowKey.of(6, "10.0.0.9", 40000, "10.0.0.1", 443);
    private static final FlowTest END = flow -> Decision.end(EndReason.IDLE, "test");
    private static final Duration LONG = Duration.ofMinutes(1);

    private final FakeKernel kernel = new FakeKernel(64);
    private final NativeFlowTable flows = kernel.start();

    @Test
    void shouldFindABypassedFlowInEitherDirection() {
        assertThat(flows.bypass(BypassRequest.of(KEY))).isTrue();
        assertThat(flows.find(KEY)).isPresent();
        assertThat(flows.find(KEY.reversed())).get().extracting(flow -> flow.key()).isEqualTo(KEY);
        assertThat(flows.find(FlowKey.of(6, "10.0.0.9", 40001, "10.0.0.1", 443))).isEmpty();
    }

    @Test
    void shouldTakeTheSameFlowOnceWhicheverSideAsks() {
        assertThat(flows.bypass(BypassRequest.of(KEY))).isTrue();
        assertThat(flows.bypass(BypassRequest.of(KEY.reversed()))).isFalse();
        assertThat(flows.activeFlows()).isEqualTo(1);
    }

    @Test
    void shouldCountTheActiveFlowsOfEachKindOfTool() throws Exception {
        FlowKey other = FlowKey.of(17, "10.0.0.9", 53, "10.0.0.1", 53);
        flows.bypass(BypassRequest.of(KEY).withOrigin(Origin.ZEEK));
        flows.bypass(BypassRequest.of(other));
        assertThat(flows.activeFlows(Origin.ZEEK)).isEqualTo(1);
        assertThat(flows.activeFlows(Origin.MANUAL)).isEqualTo(1);
        assertThat(flows.activeFlows(Origin.SURICATA)).isZero();
        flows.release(KEY).get(10, TimeUnit.SECONDS);
        assertThat(flows.activeFlows(Origin.ZEEK)).isZero();
        assertThat(flows.activeFlows(Origin.MANUAL)).isEqualTo(1);
    }

    @Test
    void shouldRefuseAProtocolWithoutPortsUnlessAHostPairIsAskedFor() {
        FlowKey gre = FlowKey.of(47, "10.0.0.9", 0, "10.0.0.1", 0);
        assertThatThrownBy(() -> flows.bypass(BypassRequest.of(gre))).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("hostPair");
        assertThat(flows.bypass(BypassRequest.of(gre).withHostPair())).isTrue();
        assertThatThrownBy(() -> flows.bypass(BypassRequest.of(FlowKey.of(47, "10.0.0.9", 1, "10.0.0.1", 0)).withHostPair()))
                .hasMessageContaining("both must be 0");
        assertThatThrownBy(() -> flows.bypass(BypassRequest.of(KEY).withHostPair())).hasMessageContaining("has ports");
        assertThat(flows.activeFlows()).isEqualTo(1);
    }

    @Test
    void shouldRefuseARedirectToAPortThatIsNotThere() {
        assertThatThrownBy(() -> flows.bypass(BypassRequest.of(KEY).withRedirect(FakeKernel.REDIRECT_PORT + 1)))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("redirect.ports");
        assertThat(flows.bypass(BypassRequest.of(KEY).withRedirect(FakeKernel.REDIRECT_PORT))).isTrue();
        assertThat(flows.find(KEY).orElseThrow().action()).isEqualTo(CutAction.REDIRECT);
    }

    @Test
    void shouldTakeVlansOnlyWhereTheyAreTracked() {
        FlowKey tagged = KEY.withVlans(7, 8);
        assertThatThrownBy(() -> flows.bypass(BypassRequest.of(tagged))).hasMessageContaining("vlan.tracking");
        kernel.tracksVlans = true;
        assertThat(flows.bypass(BypassRequest.of(tagged))).isTrue();
        assertThat(flows.bypass(BypassRequest.of(KEY))).as("the same without VLANs is another flow").isTrue();
        assertThat(flows.find(tagged.reversed())).get().extracting(flow -> flow.key()).isEqualTo(tagged);
    }

    @Test
    void shouldAdoptAFlowThatXdpCutOffAndLendAnotherSlot() throws Exception {
        flows.tendReserve(true);
        kernel.cutOff(KEY);
        assertThat(kernel.reserve.size()).isEqualTo(3);
        assertThat(flows.bypass(BypassRequest.of(KEY))).as("bypassed already").isFalse();
        flows.tendReserve(true);
        flows.tendReserve(true);
        assertThat(flows.activeFlows()).isEqualTo(1);
        assertThat(flows.activeFlows(Origin.AUTOMATIC)).isEqualTo(1);
        assertThat(flows.statistics().flowsAdded()).isEqualTo(1);
        assertThat(kernel.reserve.size()).isEqualTo(4);
        FlowRecord record = flows.release(KEY).get(10, TimeUnit.SECONDS).orElseThrow();
        assertThat(record.flow().origin()).isEqualTo(Origin.AUTOMATIC);
        assertThat(flows.activeFlows()).isZero();
    }

    @Test
    void shouldLoseNothingWhenNoticeOfACutOffFlowIsLost() throws Exception {
        flows.tendReserve(true);
        kernel.cutOff(KEY);
        kernel.cutOff(key(1));
        flows.release(KEY).get(10, TimeUnit.SECONDS).orElseThrow();
        assertThat(flows.activeFlows()).isZero();
        flows.tendReserve(true);
        assertThat(flows.activeFlows()).isEqualTo(1);
        assertThat(flows.statistics().flowsAdded()).isEqualTo(2);
    }

    @Test
    void shouldTakeSlotsBackWhenCutOffIsSwitchedOff() {
        flows.tendReserve(true);
        flows.tendReserve(false);
        assertThat(kernel.reserve.size()).isZero();
        for (int i = 0; i < flows.capacity(); i++) {
            assertThat(flows.bypass(BypassRequest.of(key(i)))).isTrue();
        }
    }

    @Test
    void shouldWithdrawWhereXdpCutTheFlowOffFirst() throws Exception {
        flows.tendReserve(true);
        int slot = kernel.claim(KEY);
        Thread xdp = new Thread(() -> kernel.table().setState(slot, Layout.LIVE));
        xdp.start();
        assertThat(flows.bypass(BypassRequest.of(KEY))).isFalse();
        xdp.join();
        flows.tendReserve(true);
        assertThat(flows.list(0, 10)).hasSize(1);
        assertThat(flows.activeFlows()).isEqualTo(1);
    }

    /** Where XDP takes longer than it is waited for, as on a machine that is busy, one has to ask again. */
    @Test
    void shouldGoOnWhereXdpWithdraws() throws Exception {
        flows.tendReserve(true);
        boolean bypassed = false;
        for (int times = 0; times < 20 && !bypassed; times++) {
            int slot = kernel.claim(KEY);
            Thread xdp = new Thread(() -> {
                kernel.table().unpublish(slot);
                kernel.table().setState(slot, Layout.FREE);
                kernel.reserve.push(slot);
            });
            xdp.start();
            bypassed = flows.bypass(BypassRequest.of(KEY));
            xdp.join();
        }
        assertThat(bypassed).isTrue();
        assertThat(flows.list(0, 10)).hasSize(1);
    }

    @Test
    void shouldKeepASlotThatCouldNotBeLentToXdp() {
        kernel.reserve.isBusy = true;
        for (int i = 0; i < flows.capacity(); i++) {
            assertThatThrownBy(() -> flows.tendReserve(true)).hasMessage("busy");
        }
        kernel.reserve.isBusy = false;
        flows.bypass(BypassRequest.of(KEY));
        flows.tendReserve(true);
        assertThat(flows.statistics().flowsAdded()).as("the bypass, which XDP did not make").isEqualTo(1);
        FakeKernel other = new FakeKernel(flows.capacity());
        NativeFlowTable unrefused = other.start();
        unrefused.bypass(BypassRequest.of(KEY));
        unrefused.tendReserve(true);
        assertThat(lent(kernel)).as("what is lent where none was refused").isEqualTo(lent(other)).isNotEmpty();
    }

    private static List<Integer> lent(FakeKernel by) {
        return Stream.generate(by.reserve::pop).takeWhile(Optional::isPresent).map(Optional::get).toList();
    }

    @Test
    void shouldBypassNothingBeforeItIsKnownWhatIsNeverCut() {
        NativeFlowTable early = new NativeFlowTable(kernel.table(), kernel.gate(), kernel.dataPlane(), null, kernel.delivery,
                new Reserve(kernel.reserve), () -> { });
        assertThatThrownBy(() -> early.bypass(BypassRequest.of(KEY))).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("never.cut");
        early.setNeverCut(new NeverCut(List.of()), list -> { });
        assertThat(early.bypass(BypassRequest.of(KEY))).isTrue();
    }

    @Test
    void shouldTakeOutWhatAChangedNeverCutListNamesAndRefuseIt() {
        flows.bypass(BypassRequest.of(KEY));
        flows.bypass(BypassRequest.of(key(1)));
        NeverCut list = NeverCut.of(List.of(), NeverCut.list("10.0.0.9/32 tcp/" + KEY.sourcePort()));
        List<NeverCut> inKernel = new ArrayList<>();
        assertThat(flows.setNeverCut(list, inKernel::add)).isEqualTo(1);
        assertThat(inKernel).containsExactly(list);
        assertThat(kernel.awaitEnded(1).get(0).reason()).isEqualTo(EndReason.NEVER_CUT);
        assertThat(flows.find(key(1))).isPresent();
        assertThatThrownBy(() -> flows.bypass(BypassRequest.of(KEY))).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("10.0.0.9/32 tcp/" + KEY.sourcePort());
    }

    @Test
    void shouldCountEachDirectionAsTheAskerSeesIt() throws Exception {
        flows.bypass(BypassRequest.of(KEY).withOrigin(Origin.ZEEK).withAsker("zeek-1").withRule("tls")
                .withCookie("CHhAvVGS1DHFjwGM9"));
        kernel.packet(KEY, 100, 0x10);
        kernel.packet(KEY, 100, 0x18);
        kernel.packet(KEY.reversed(), 1500, 0x11);
        FlowRecord record = flows.release(KEY.reversed()).get(10, TimeUnit.SECONDS).orElseThrow();
        assertThat(record.flow().key()).isEqualTo(KEY);
        assertThat(record.flow().forward()).isEqualTo(new DirectionCounts(2, 200, 0x18));
        assertThat(record.flow().reverse()).isEqualTo(new DirectionCounts(1, 1500, 0x11));
        assertThat(record.flow().origin()).isEqualTo(Origin.ZEEK);
        assertThat(record.flow().asker()).isEqualTo("zeek-1");
        assertThat(record.flow().rule()).isEqualTo("tls");
        assertThat(record.flow().cookie()).isEqualTo("CHhAvVGS1DHFjwGM9");
        assertThat(record.reason()).isEqualTo(EndReason.RELEASED);
    }

    @Test
    void shouldCountAPacketOfAProgramThatFoundTheFlowBeforeItWasReleased() throws Exception {
        flows.bypass(BypassRequest.of(KEY));
        kernel.grace = () -> kernel.count(0, 0, 60, 0);
        FlowRecord record = flows.release(KEY).get(10, TimeUnit.SECONDS).orElseThrow();
        assertThat(record.flow().packets()).isEqualTo(1);
    }

    @Test
    void shouldNotReuseASlotBeforeItsGraceIsOver() throws Exception {
        CountDownLatch graceMayEnd = new CountDownLatch(1);
        kernel.grace = () -> awaitQuietly(graceMayEnd);
        flows.bypass(BypassRequest.of(KEY));
        var released = flows.release(KEY);
        flows.bypass(BypassRequest.of(key(1)));
        TableKey other = new TableKey();
        other.set(key(1));
        assertThat(kernel.table().find(other)).as("slot of the next flow").isEqualTo(1);
        graceMayEnd.countDown();
        released.get(10, TimeUnit.SECONDS);
    }

    @Test
    void shouldStartANewBypassOfTheSameSlotAtZero() throws Exception {
        flows.bypass(BypassRequest.of(KEY));
        kernel.packet(KEY, 100, 0x12);
        FlowRecord first = flows.release(KEY).get(10, TimeUnit.SECONDS).orElseThrow();
        awaitFree();
        flows.bypass(BypassRequest.of(key(2)));
        assertThat(flows.find(key(2)).orElseThrow().packets()).isZero();
        assertThat(flows.find(key(2)).orElseThrow().forward().tcpFlags()).isZero();
        FlowRecord second = flows.release(key(2)).get(10, TimeUnit.SECONDS).orElseThrow();
        assertThat(second.id()).isNotEqualTo(first.id());
        assertThat(flows.statistics().unaccountedPackets()).isZero();
        assertThat(flows.statistics().bypassedPackets()).isEqualTo(1);
    }

    @Test
    void shouldNotStartAThreadForEachFlowThatIsReleased() throws Exception {
        CountDownLatch graceMayEnd = new CountDownLatch(1);
        kernel.grace = () -> awaitQuietly(graceMayEnd);
        List<CompletableFuture<Thread>> released = new ArrayList<>();
        for (int number = 1; number <= 20; number++) {
            flows.bypass(BypassRequest.of(key(number)));
            released.add(flows.release(key(number)).thenApply(record -> Thread.currentThread()));
        }
        graceMayEnd.countDown();
        Set<Thread> threads = new HashSet<>();
        for (CompletableFuture<Thread> each : released) {
            threads.add(each.get(10, TimeUnit.SECONDS));
        }
        assertThat(threads).hasSizeLessThanOrEqualTo(4);
    }

    @Test
    void shouldAnswerAReleaseThatAnotherOnesAnswerWaitsFor() throws Exception {
        flows.bypass(BypassRequest.of(KEY));
        flows.bypass(BypassRequest.of(key(1)));
        assertThat(flows.release(KEY).thenApply(record -> flows.release(key(1)).join()).get(10, TimeUnit.SECONDS)).isPresent();
    }

    @Test
    void shouldHarvestOnWhileWhoWaitedForAReleaseTakesItsTime() throws Exception {
        CountDownLatch graceMayEnd = new CountDownLatch(1);
        CountDownLatch mayGoOn = new CountDownLatch(1);
        kernel.grace = () -> awaitQuietly(graceMayEnd);
        flows.bypass(BypassRequest.of(KEY));
        CompletableFuture<Void> slow = flows.release(KEY).thenAccept(record -> awaitQuietly(mayGoOn));
        graceMayEnd.countDown();
        flows.bypass(BypassRequest.of(key(1)));
        flows.flush();
        awaitFree();
        assertThat(slow).isNotDone();
        mayGoOn.countDown();
        slow.get(10, TimeUnit.SECONDS);
    }

    @Test
    void shouldSayEmptyWhenAFlowThatIsNotBypassedIsReleased() throws Exception {
        assertThat(flows.release(KEY).get(1, TimeUnit.SECONDS)).isEmpty();
    }

    @Test
    void shouldEndWhatThePolicyEndsAndKeepTheRest() {
        flows.bypass(BypassRequest.of(KEY));
        flows.bypass(BypassRequest.of(key(1)));
        SweepResult result = flows.sweep(flow -> flow.key().equals(KEY) ? Decision.end(EndReason.IDLE, "idle")
                : Decision.KEEP, LONG);
        assertThat(result).isEqualTo(new SweepResult(2, 1, 0, true));
        FlowRecord record = kernel.awaitEnded(1).get(0);
        assertThat(record.reason()).isEqualTo(EndReason.IDLE);
        assertThat(record.detail()).isEqualTo("idle");
        assertThat(flows.find(key(1))).isPresent();
        assertThat(flows.find(KEY)).isEmpty();
    }

    @Test
    void shouldKeepAFlowThatWokeUpSinceThePolicySawIt() {
        flows.bypass(BypassRequest.of(KEY));
        SweepResult result = flows.sweep(flow -> {
            kernel.packet(KEY, 60, 0);
            return Decision.end(EndReason.IDLE, "");
        }, LONG);
        assertThat(result.woken()).isEqualTo(1);
        assertThat(result.ended()).isZero();
        assertThat(kernel.packet(KEY, 60, 0)).as("still cut").isTrue();
        assertThat(flows.find(KEY).orElseThrow().packets()).isEqualTo(2);
    }

    @Test
    void shouldKeepAFlowThatHadAPacketWhichWasPassedSinceThePolicySawIt() {
        flows.bypass(BypassRequest.of(KEY));
        FlowTest flagged = flow -> {
            kernel.records.setInt(Layout.record(0, 1) + Layout.RECORD_SEEN, 0x11);
            return Decision.end(EndReason.IDLE, "");
        };
        assertThat(flows.sweep(flagged, LONG)).isEqualTo(new SweepResult(1, 0, 1, true));
        for (int direction = 0; direction < 2; direction++) {
            int lastSeen = Layout.record(0, direction) + Layout.RECORD_LAST_SEEN;
            FlowTest stamped = flow -> {
                kernel.records.setLong(lastSeen, System.nanoTime());
                return Decision.end(EndReason.IDLE, "");
            };
            assertThat(flows.sweep(stamped, LONG)).isEqualTo(new SweepResult(1, 0, 1, true));
        }
        assertThat(flows.sweep(END, LONG)).isEqualTo(new SweepResult(1, 1, 0, true));
    }

    @Test
    void shouldShowThePolicyWhatTheFlowIs() {
        flows.bypass(BypassRequest.of(KEY).withIdleTimeout(Duration.ofSeconds(7)));
        flows.bypass(BypassRequest.of(key(1)));
        kernel.packet(KEY.reversed(), 90, 0x01);
        List<String> shown = new ArrayList<>();
        flows.sweep(flow -> {
            assertThat(flow.idleNanos()).isBetween(0L, LONG.toNanos());
            assertThat(flow.ageNanos()).isBetween(0L, LONG.toNanos());
            shown.add(flow.protocol() + " " + flow.packets(Direction.FORWARD) + " " + flow.bytes(Direction.REVERSE) + " "
                    + flow.tcpFlags(Direction.REVERSE) + " " + flow.idleTimeoutNanos(5));
            return Decision.KEEP;
        }, LONG);
        assertThat(shown).containsExactly("6 0 90 1 7000000000", "6 0 0 0 5");
    }

    @Test
    void shouldNotShowThePolicyAFlowThatIsOnItsWayOut() throws Exception {
        CountDownLatch over = new CountDownLatch(1);
        kernel.grace = () -> {
            try {
                over.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        };
        flows.bypass(BypassRequest.of(KEY));
        CompletableFuture<Optional<FlowRecord>> record = flows.release(KEY);
        assertThat(flows.sweep(END, LONG)).isEqualTo(new SweepResult(0, 0, 0, true));
        over.countDown();
        assertThat(record.get(10, TimeUnit.SECONDS)).isPresent();
    }

    @Test
    void shouldShowEachDirectionItsOwnWhicheverSideTheAskerIs() {
        List<String> shown = new ArrayList<>();
        for (FlowKey key : List.of(KEY, key(1).reversed())) {
            flows.bypass(BypassRequest.of(key));
            kernel.packet(key, 90, 0x12);
            kernel.packet(key, 90, 0x01);
            kernel.packet(key.reversed(), 60, 0x10);
        }
        FlowTest show = flow -> {
            shown.add(flow.packets(Direction.FORWARD) + " " + flow.packets(Direction.REVERSE) + " "
                    + flow.tcpFlags(Direction.FORWARD) + " " + flow.tcpFlags(Direction.REVERSE));
            return Decision.KEEP;
        };
        flows.sweep(show, LONG);
        kernel.packet(KEY.reversed(), 60, 0x03);
        flows.sweep(show, LONG);
        assertThat(shown).containsExactly("2 1 19 16", "2 1 19 16", "2 2 19 19", "2 1 19 16");
    }

    @Test
    void shouldCountOnlyThePacketsOfTheFlowThatHasTheSlotNow() throws Exception {
        flows.bypass(BypassRequest.of(KEY));
        kernel.packet(KEY, 90, 0);
        flows.release(KEY).get(10, TimeUnit.SECONDS);
        flows.bypass(BypassRequest.of(KEY));
        kernel.packet(KEY, 90, 0);
        List<Long> packets = new ArrayList<>();
        flows.sweep(flow -> {
            packets.add(flow.packets(Direction.FORWARD));
            return Decision.KEEP;
        }, LONG);
        assertThat(packets).containsExactly(1L);
    }

    @Test
    void shouldRefuseAViewThatIsUsedAfterTheDecisionOrOnAnotherThread() throws Exception {
        flows.bypass(BypassRequest.of(KEY));
        AtomicReference<FlowView> kept = new AtomicReference<>();
        AtomicReference<Throwable> elsewhere = new AtomicReference<>();
        flows.sweep(flow -> {
            kept.set(flow);
            Thread thread = new Thread(flow::idleNanos);
            thread.setUncaughtExceptionHandler((on, thrown) -> elsewhere.set(thrown));
            thread.start();
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            return Decision.KEEP;
        }, LONG);
        assertThat(elsewhere.get()).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> kept.get().packets(Direction.FORWARD)).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("copy what you need");
    }

    @Test
    void shouldGoOnInTheNextSweepWhereTheBudgetEnded() {
        FakeKernel large = new FakeKernel(16384);
        NativeFlowTable many = large.start();
        for (int i = 0; i < 10_000; i++) {
            many.bypass(BypassRequest.of(key(i)));
        }
        AtomicInteger seen = new AtomicInteger();
        SweepResult first = many.sweep(flow -> {
            seen.incrementAndGet();
            return Decision.KEEP;
        }, Duration.ZERO);
        assertThat(first.complete()).isFalse();
        assertThat(first.scanned()).isEqualTo(256);
        List<FlowKey> next = new ArrayList<>();
        many.sweep(flow -> {
            next.add(next.isEmpty() ? flow.key() : null);
            return Decision.KEEP;
        }, LONG);
        assertThat(next).hasSize(10_000);
        assertThat(next.get(0)).isEqualTo(key(256));
    }

    @Test
    void shouldEndAReopenedFlowWithoutAskingThePolicy() {
        flows.bypass(BypassRequest.of(KEY));
        kernel.packet(KEY, 60, Layout.SEEN_REOPENED);
        flows.sweep(flow -> {
            throw new AssertionError("asked");
        }, LONG);
        assertThat(kernel.awaitEnded(1).get(0).reason()).isEqualTo(EndReason.REOPENED);
    }

    @Test
    void shouldBypassAReopenedFlowAnewWhenAskedAgain() {
        flows.bypass(BypassRequest.of(KEY));
        kernel.packet(KEY, 60, Layout.SEEN_REOPENED);
        assertThat(flows.bypass(BypassRequest.of(KEY))).isTrue();
        assertThat(kernel.awaitEnded(1).get(0).reason()).isEqualTo(EndReason.REOPENED);
        assertThat(flows.find(KEY).orElseThrow().packets()).isZero();
    }

    @Test
    void shouldRefuseTheFlowForWhichThereIsNoSlotAndSayHowFullItIs() {
        int fitted = 0;
        while (fitted < 64 && tryBypass(fitted)) {
            fitted++;
        }
        assertThat(fitted).isEqualTo(64);
        assertThatThrownBy(() -> flows.bypass(BypassRequest.of(KEY))).isInstanceOf(TableFullException.class)
                .hasMessageContaining("table full: 64 of 64 flows");
        assertThat(flows.statistics().refusedBypasses()).isEqualTo(1);
        assertThat(flows.activeFlows()).isEqualTo(64);
    }

    @Test
    void shouldRefuseWhatMustNotBeCutAndChangeNothing() {
        assertThatThrownBy(() -> flows.bypass(BypassRequest.of(FlowKey.of(1, "10.0.0.1", 0, "10.0.0.2", 0))))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("hostPair");
        assertThatThrownBy(() -> flows.bypass(BypassRequest.of(KEY.withVlans(7, 0))))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("VLAN");
        assertThat(flows.activeFlows()).isZero();
    }

    @Test
    void shouldReleaseAllAndDeliverTheirRecords() {
        for (int i = 0; i < 20; i++) {
            flows.bypass(BypassRequest.of(key(i)));
        }
        assertThat(flows.flush()).isEqualTo(20);
        assertThat(kernel.awaitEnded(20)).allMatch(record -> record.reason() == EndReason.FLUSHED);
        assertThat(flows.activeFlows()).isZero();
    }

    @Test
    void shouldListPagesInAStableOrder() {
        for (int i = 0; i < 10; i++) {
            flows.bypass(BypassRequest.of(key(i)));
        }
        assertThat(flows.list(3, 2)).extracting(flow -> flow.key()).containsExactly(key(3), key(4));
        assertThat(flows.list(9, 100)).hasSize(1);
        assertThatThrownBy(() -> flows.list(-1, 5)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> flows.list(0, 10_001)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void shouldSayWhereTwoTestsDifferAndEndNothing() {
        flows.bypass(BypassRequest.of(KEY));
        flows.bypass(BypassRequest.of(key(1)));
        FlowTest onlyKey = flow -> flow.key().equals(KEY) ? Decision.end(EndReason.IDLE, "") : Decision.KEEP;
        assertThat(flows.compare(flow -> Decision.KEEP, onlyKey, 10)).singleElement()
                .satisfies(difference -> assertThat(difference.flow()).isEqualTo(KEY));
        assertThat(flows.compare(flow -> Decision.KEEP, END, 1)).hasSize(1);
        assertThat(flows.activeFlows()).isEqualTo(2);
    }

    @Test
    void shouldCallPacketsUnaccountedThatXdpCutAndNoFlowHolds() {
        flows.bypass(BypassRequest.of(KEY));
        kernel.packet(KEY, 60, 0);
        assertThat(flows.statistics().unaccountedPackets()).isZero();
        kernel.miscount(4);
        assertThat(flows.statistics().unaccountedPackets()).isEqualTo(4);
        kernel.miscount(-7);
        assertThat(flows.statistics().unaccountedPackets()).as("less one that a CPU may hold").isEqualTo(2);
    }

    @Test
    void shouldNotLetASweepThatIsStillRunningTouchTheTableOnceItIsStopped() {
        flows.bypass(BypassRequest.of(KEY));
        flows.bypass(BypassRequest.of(key(1)));
        AtomicReference<NativeFlowTable> next = new AtomicReference<>();
        SweepResult result = flows.sweep(flow -> {
            flows.stop();
            next.set(kernel.start());
            return Decision.end(EndReason.IDLE, "");
        }, LONG);
        assertThat(result).isEqualTo(new SweepResult(1, 0, 0, false));
        assertThat(next.get().list(0, 10)).hasSize(2);
    }

    @Test
    void shouldRefuseToChangeAnythingOnceItIsStopped() {
        flows.bypass(BypassRequest.of(KEY));
        flows.stop();
        assertThatThrownBy(() -> flows.bypass(BypassRequest.of(key(1)))).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("gone");
        assertThatThrownBy(() -> flows.release(KEY)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(flows::flush).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void shouldKeepInTheTableWhatADurableListenerHasNoRoomFor() throws Exception {
        kernel.delivery.setDurable(Set.of("records"));
        flows.bypass(BypassRequest.of(KEY));
        flows.bypass(BypassRequest.of(key(1)));
        FlowRecord other = flows.release(KEY).get(10, TimeUnit.SECONDS).orElseThrow();
        kernel.delivery.offer(Collections.nCopies(Outlet.LIMIT - 1, other));
        FlowRecord answer = flows.release(key(1)).get(10, TimeUnit.SECONDS).orElseThrow();
        flows.bypass(BypassRequest.of(key(2)));
        assertThat(flows.flush()).isEqualTo(1);
        assertThat(flows.room().closing()).isEqualTo(3);
        assertThat(kernel.delivery.longestQueue()).isEqualTo(Outlet.LIMIT);

        flows.stop();
        NativeFlowTable next = kernel.start();
        assertThat(next.room().closing()).isEqualTo(3);
        List<String> taken = new CopyOnWriteArrayList<>();
        kernel.delivery.add("key", "records",
                records -> records.stream().map(FlowRecord::id).filter(id -> !id.equals(other.id())).forEach(taken::add));
        long end = System.nanoTime() + LONG.toNanos();
        while (next.room().closing() > 0 && System.nanoTime() < end) {
            Thread.onSpinWait();
        }
        assertThat(taken).hasSize(2).contains(answer.id());
        assertThat(next.room().closing()).isZero();
    }

    @Test
    void shouldMakeTheRecordInTheEndWhenAGracePeriodFailed() throws Exception {
        AtomicInteger failures = new AtomicInteger(1);
        kernel.grace = () -> {
            if (failures.getAndDecrement() > 0) {
                throw new IllegalStateException("ENOMEM");
            }
        };
        flows.bypass(BypassRequest.of(KEY));
        kernel.packet(KEY, 60, 0);
        assertThat(flows.release(KEY).get(10, TimeUnit.SECONDS).orElseThrow().flow().packets()).isEqualTo(1);
    }

    private boolean tryBypass(int i) {
        try {
            return flows.bypass(BypassRequest.of(key(i)));
        } catch (TableFullException e) {
            return false;
        }
    }

    private void awaitFree() {
        long end = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        while (flows.statistics().closingFlows() > 0 && System.nanoTime() < end) {
            Thread.onSpinWait();
        }
        assertThat(flows.statistics().closingFlows()).isZero();
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static FlowKey key(int i) {
        return FlowKey.of(6, "192.0.2.1", 1024 + i, "198.51.100.7", 443);
    }
}
