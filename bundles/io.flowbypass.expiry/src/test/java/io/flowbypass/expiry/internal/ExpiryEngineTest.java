// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.expiry.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.flowbypass.flow.Decision;
import io.flowbypass.flow.EndReason;
import io.flowbypass.policy.ExpiryPolicy;
import java.time.Duration;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ExpiryEngineTest {
    private static final int NEVER = 3600000;
    private static final Decision END = Decision.end(EndReason.POLICY, "");
    private static final ExpiryPolicy ENDER = sweep -> flow -> END;
    private static final ExpiryPolicy KEEPER = sweep -> flow -> Decision.KEEP;
    private static final ExpiryPolicy THROWER = sweep -> flow -> {
        throw new IllegalStateException("broken");
    };
    private static volatile boolean released;
    private static final ExpiryPolicy HANGER = sweep -> flow -> {
        while (true) { // not even an interrupt gets it out
            Thread.onSpinWait();
            if (released) {
                return END;
            }
        }
    };

    private final Fixture fixture = new Fixture();
    private final ExpiryEngine engine = fixture.engine;
    private final FakeTable table = new FakeTable(10);

    @AfterEach
    void stop() {
        released = true;
        engine.deactivate();
    }

    @Test
    void sweepsAtTheIntervalAndEndsFlows() {
        engine.addSweeper(table);
        fixture.install(1, 0, "ender", ENDER);
        fixture.activate(10, "");

        await().until(() -> table.ended.size() == 10);
        await().until(() -> engine.sweeps() > 3);
        assertThat(table.ended.values()).extracting(Decision::detail).containsOnly("ender");
        assertThat(engine.expiredFlows()).isEqualTo(10);
        assertThat(engine.activePolicies()).containsExactly("ender");
    }

    @Test
    void sweepsWithAKeepAllTestWithoutAPolicySoThatReopenedFlowsAreTakenOut() {
        engine.addSweeper(table);
        fixture.activate(NEVER, "");

        int before = table.sweeps.get();
        assertThat(engine.sweepNow()).isZero();
        assertThat(table.sweeps.get()).isGreaterThan(before);
        assertThat(engine.lastSweepScanned()).isEqualTo(10);
    }

    @Test
    void doesNotSweepWithoutATableAndSaysSo() {
        fixture.activate(10, "");

        assertThatThrownBy(engine::sweepNow).isInstanceOf(IllegalStateException.class).hasMessageContaining("no flow table");
        assertThat(engine.sweeps()).isZero();
    }

    @Test
    void asksTheHighestRankingFirstAndThenTheOldestService() {
        fixture.install(9, 0, "younger", KEEPER);
        fixture.install(3, 0, "older", KEEPER);
        fixture.install(20, 7, "best", KEEPER);
        fixture.activate(NEVER, "");

        assertThat(engine.activePolicies()).containsExactly("best", "older", "younger");
        assertThat(engine.availablePolicies()).containsExactly("best", "older", "younger");
    }

    @Test
    void usesTheBetterOfTwoPoliciesWithOneNameUntilItGoes() {
        engine.addSweeper(table);
        fixture.install(1, 0, "idle", KEEPER);
        fixture.install(2, 5, "idle", ENDER);
        fixture.activate(NEVER, "");
        engine.removePolicy(Fixture.properties(2, 5, "idle"));
        table.add(10);

        assertThat(engine.availablePolicies()).containsExactly("idle");
        assertThat(engine.sweepNow()).isZero();
        await().untilAsserted(() -> assertThat(fixture.notices)
                .contains("swapped [idle] [idle]: idle was removed, another of that name is used"));
    }

    @Test
    void announcesEveryChangeOfTheActiveListInOrder() {
        fixture.install(1, 0, "a", KEEPER);
        fixture.activate(NEVER, "");
        fixture.install(2, 1, "b", KEEPER);
        engine.removePolicy(Fixture.properties(1, 0, "a"));
        engine.modified(new Fixture.Settings(NEVER, "other"));

        await().untilAsserted(() -> assertThat(fixture.notices).containsExactly(
                "swapped [] [a]: expiry started",
                "swapped [a] [b, a]: b was added",
                "swapped [b, a] [b]: a was removed",
                "swapped [b] []: other selected"));
    }

    @Test
    void quarantinesAPolicyAfterThreeFailedSweepsInARowAndGoesOnWithTheNext() {
        engine.addSweeper(table);
        fixture.install(1, 9, "thrower", THROWER);
        fixture.activate(NEVER, "");
        await().until(() -> engine.sweeps() == 1);
        engine.sweepNow();
        assertThat(engine.quarantinedPolicies()).isEmpty();
        engine.sweepNow();

        assertThat(engine.quarantinedPolicies()).containsExactly("thrower");
        assertThat(engine.activePolicies()).isEmpty();
        await().untilAsserted(() -> assertThat(fixture.notices).anySatisfy(notice -> assertThat(notice)
                .startsWith("quarantined thrower").contains("decide() threw").contains("broken")));
    }

    @Test
    void forgivesAPolicyThatRecoversBeforeTheThirdFailure() {
        AtomicInteger sweeps = new AtomicInteger();
        engine.addSweeper(table);
        fixture.install(1, 0, "shaky", sweep -> sweeps.incrementAndGet() % 3 == 0 ? flow -> Decision.KEEP : null);
        fixture.activate(NEVER, "");
        for (int i = 0; i < 9; i++) {
            engine.sweepNow();
        }

        assertThat(engine.quarantinedPolicies()).isEmpty();
    }

    @Test
    void endsQuarantineWhenThePolicyIsReconfiguredInstalledAnewOrSelected() throws Exception {
        fixture.withConfigurationAdmin();
        engine.addSweeper(table);
        fixture.install(1, 0, "thrower", THROWER);
        fixture.activate(NEVER, "");

        sweepIntoQuarantine();
        engine.updatedPolicy(THROWER, Fixture.properties(1, 0, "thrower"));
        assertThat(engine.activePolicies()).containsExactly("thrower");

        sweepIntoQuarantine();
        engine.removePolicy(Fixture.properties(1, 0, "thrower"));
        fixture.install(2, 0, "thrower", THROWER);
        assertThat(engine.activePolicies()).containsExactly("thrower");

        sweepIntoQuarantine();
        engine.selectPolicies(List.of("thrower"));
        assertThat(engine.activePolicies()).containsExactly("thrower");

        sweepIntoQuarantine();
        engine.selectPolicies(List.of("thrower")); // changes no configuration
        assertThat(engine.activePolicies()).containsExactly("thrower");
    }

    private void sweepIntoQuarantine() {
        for (int i = 0; i < 3; i++) {
            engine.sweepNow();
        }
        assertThat(engine.quarantinedPolicies()).containsExactly("thrower");
    }

    @Test
    void abandonsAWorkerWhosePolicyHangsAndSweepsOnWithoutIt() {
        released = false;
        engine.addSweeper(table);
        fixture.install(1, 9, "hanger", HANGER);
        fixture.install(2, 0, "ender", ENDER);
        fixture.activate(50, "");

        await().atMost(Duration.ofSeconds(5)).until(() -> engine.quarantinedPolicies().contains("hanger"));
        await().until(() -> table.ended.size() == 10);
        released = true;
        await().pollDelay(Duration.ofMillis(300)).untilAsserted(() -> assertThat(table.ended.values())
                .extracting(Decision::detail).containsOnly("ender"));
        assertThat(engine.activePolicies()).containsExactly("ender");
    }

    @Test
    void stopsAfterTheThirdAbandonedWorkerAndSaysThatThisIsCritical() {
        released = false;
        engine.addSweeper(table);
        fixture.install(1, 0, "first", HANGER);
        fixture.install(2, 0, "second", HANGER);
        fixture.install(3, 0, "third", HANGER);
        fixture.activate(20, "");

        await().atMost(Duration.ofSeconds(12)).untilAsserted(() -> assertThat(fixture.notices).anySatisfy(
                notice -> assertThat(notice).startsWith("pressure: CRITICAL").contains("[first, second, third]")));
        assertThatThrownBy(engine::sweepNow).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("expiry has stopped");
    }

    @Test
    void saysOnceThatATableFillsUpAndAgainAfterItWasRelieved() {
        engine.addSweeper(table);
        fixture.activate(NEVER, "");
        for (int flows : new int[] {899, 900, 950, 850, 900, 799, 900}) {
            table.pretendedFlows = flows;
            engine.sweepNow();
        }

        await().untilAsserted(() -> assertThat(fixture.notices).filteredOn(notice -> notice.startsWith("pressure"))
                .hasSize(2).allMatch(notice -> notice.contains("90 % full: 900 of 1000")));
    }

    @Test
    void sweepsTheOtherTablesWhereOneFails() {
        FakeTable failing = new FakeTable(1);
        failing.broken = new IllegalStateException("gone");
        engine.addSweeper(failing);
        engine.addSweeper(table);
        fixture.install(1, 0, "ender", ENDER);
        fixture.activate(NEVER, "");

        await().until(() -> table.ended.size() == 10);
    }

    @Test
    void comparesWithPoliciesThatAreNotActiveAndEndsNothing() {
        engine.addSweeper(table);
        fixture.install(1, 0, "keeper", KEEPER);
        fixture.install(2, 0, "ender", ENDER);
        fixture.activate(NEVER, "keeper");

        assertThat(engine.compare(List.of("ender"), 4)).hasSize(4)
                .allSatisfy(difference -> assertThat(difference.other().detail()).isEqualTo("ender"));
        assertThat(engine.compare(List.of("keeper"), 4)).isEmpty();
        assertThat(table.ended).isEmpty();
    }

    @Test
    void refusesToSelectWhatIsNotInstalledOrNamedTwiceAndKeepsTheOldList() throws Exception {
        fixture.withConfigurationAdmin();
        fixture.install(1, 0, "idle", KEEPER);
        fixture.activate(NEVER, "");

        assertThatThrownBy(() -> engine.selectPolicies(List.of("idle", "lifetime")))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("\"lifetime\"").hasMessageContaining("[idle]");
        assertThatThrownBy(() -> engine.selectPolicies(List.of("idle", "idle")))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("twice");
        assertThat(engine.activePolicies()).containsExactly("idle");
        assertThat(fixture.stored).isNull();
    }

    @Test
    void keepsASelectionAndAnIntervalInTheConfigurationBesideWhatIsThere() throws Exception {
        fixture.stored = new Hashtable<>(Map.of("felix.fileinstall.filename", "file:/etc/expiry.cfg"));
        fixture.withConfigurationAdmin();
        fixture.install(1, 0, "a", KEEPER);
        fixture.install(2, 0, "b", KEEPER);
        fixture.activate(NEVER, "");

        engine.selectPolicies(List.of("b", "a"));
        engine.setSweepIntervalMillis(500);

        assertThat(engine.activePolicies()).containsExactly("b", "a");
        assertThat(engine.sweepIntervalMillis()).isEqualTo(500);
        assertThat(fixture.stored).isEqualTo(new Hashtable<>(Map.of("felix.fileinstall.filename", "file:/etc/expiry.cfg",
                ExpiryEngine.ACTIVE, "b,a", ExpiryEngine.INTERVAL, "500")));
    }

    @Test
    void saysWhatIsMissingWhenNothingCanKeepAChange() {
        fixture.activate(NEVER, "");

        assertThatThrownBy(() -> engine.setSweepIntervalMillis(50)).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("Configuration Admin");
        assertThatThrownBy(() -> engine.setSweepIntervalMillis(9)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("10 to 3600000");
        assertThat(engine.sweepIntervalMillis()).isEqualTo(NEVER);
    }

    @Test
    void storesAgainWhatFileInstallHasSetBackMeanwhile() throws Exception {
        fixture.withConfigurationAdmin().activate(NEVER, "");
        fixture.undo = true;
        engine.setSweepIntervalMillis(50);

        assertThat(engine.sweepIntervalMillis()).isEqualTo(50);
    }

    @Test
    void storesAgainWhatScrDidNotBring() throws Exception {
        fixture.withConfigurationAdmin().activate(NEVER, "");
        fixture.lose = true;
        engine.setSweepIntervalMillis(50);

        assertThat(engine.sweepIntervalMillis()).isEqualTo(50);
    }

    @Test
    void keepsTheOldIntervalWhereANewOneIsBadAndTakesTheOtherValues() {
        fixture.install(1, 0, "a", KEEPER);
        fixture.install(2, 0, "b", KEEPER);
        fixture.activate(NEVER, "");
        engine.modified(new Fixture.Settings(5, "b"));
        assertThat(engine.sweepIntervalMillis()).isEqualTo(NEVER);
        assertThat(engine.activePolicies()).containsExactly("b");
        engine.modified(new Fixture.Unreadable("a"));
        assertThat(engine.sweepIntervalMillis()).isEqualTo(NEVER);
        assertThat(engine.activePolicies()).containsExactly("a");
    }

    @Test
    void startsOnTheDefaultIntervalWhereTheConfiguredOneIsOutOfRange() {
        engine.addSweeper(table);
        fixture.install(1, 0, "ender", ENDER);
        fixture.activate(5, "");

        assertThat(engine.sweepIntervalMillis()).isEqualTo(1000);
        await().until(() -> table.ended.size() == 10);
    }

    @Test
    void startsOnTheDefaultIntervalWhereTheConfiguredOneIsNoNumber() {
        fixture.install(1, 0, "a", KEEPER);
        fixture.install(2, 0, "b", KEEPER);
        engine.activate(new Fixture.Unreadable("b"));

        assertThat(engine.sweepIntervalMillis()).isEqualTo(1000);
        assertThat(engine.activePolicies()).containsExactly("b");
    }
}
