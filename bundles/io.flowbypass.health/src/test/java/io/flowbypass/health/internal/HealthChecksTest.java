// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.health.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.expiry.Expiry;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.flow.TableStatistics;
import io.flowbypass.xdp.Attachment;
import io.flowbypass.xdp.DataPlane;
import io.flowbypass.xdp.Verdict;
import io.flowbypass.xdp.VerdictCounts;
import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.felix.hc.api.HealthCheck;
import org.apache.felix.hc.api.Result;
import org.apache.felix.hc.api.Result.Status;
import org.junit.jupiter.api.Test;

class HealthChecksTest {
    private final Map<String, Object> answers = new HashMap<>();
    private long now;

    private <T> T service(Class<T> type) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (self, method, arguments) -> {
            assertThat(answers).as("what the check may ask").containsKey(method.getName());
            Object answer = answers.get(method.getName());
            if (answer instanceof RuntimeException failure) {
                throw failure;
            }
            return answer;
        }));
    }

    private static void shows(HealthCheck check, Status status, String... parts) {
        Result result = check.execute();
        assertThat(List.of(parts)).as("parts of " + result).allMatch(result.toString()::contains);
        assertThat(result.getStatus()).isEqualTo(status);
    }

    private static Attachment attachment(String name, boolean attached, String problem) {
        return new Attachment(name, "native", 7, "", attached, problem);
    }

    private void table(int active, int closing, long unaccounted) {
        answers.put("statistics", new TableStatistics(active, closing, 100, 0, 0, 0, 0, 0, 0, unaccounted));
    }

    private void verdicts(long cut, long unparsed) {
        answers.put("verdicts", Map.of(Verdict.CUT_DROPPED, new VerdictCounts(1, cut), Verdict.PASSED_FRAGMENT,
                new VerdictCounts(1, unparsed)));
    }

    @Test
    void shouldBeCriticalWithoutTheServiceToLookAt() {
        shows(new AttachedCheck(), Status.CRITICAL, "io.flowbypass.xdp");
        shows(new LeaseCheck(), Status.CRITICAL, "io.flowbypass.xdp");
        shows(new ParsedCheck(), Status.CRITICAL, "io.flowbypass.xdp");
        shows(new TableCheck(), Status.CRITICAL, "io.flowbypass.table");
        shows(new LedgerCheck(), Status.CRITICAL, "io.flowbypass.table");
        shows(new SweepsCheck(), Status.CRITICAL, "io.flowbypass.expiry");
    }

    @Test
    void shouldNameTheInterfaceThatIsNotAttached() {
        AttachedCheck check = new AttachedCheck();
        check.dataPlane = service(DataPlane.class);

        answers.put("attachments", List.of());
        shows(check, Status.WARN, "no interface");
        answers.put("attachments", List.of(attachment("eth1", true, "")));
        shows(check, Status.OK, "eth1 (native)");
        answers.put("attachments", List.of(attachment("eth1", true, ""), attachment("eth2", true, "generic, not native")));
        shows(check, Status.WARN, "eth2: generic, not native");
        answers.put("attachments", List.of(attachment("eth1", true, ""), attachment("eth2", false, "no such interface")));
        shows(check, Status.CRITICAL, "eth2: no such interface");
    }

    @Test
    void shouldSayWhenXdpDoesNotCut() {
        LeaseCheck check = new LeaseCheck();
        check.dataPlane = service(DataPlane.class);

        answers.putAll(Map.of("leaseAgeMillis", 29_999L, "leaseSeconds", 60, "paused", false));
        shows(check, Status.OK, "29999 ms");
        answers.put("leaseAgeMillis", 30_000L);
        shows(check, Status.WARN, "30000 ms");
        answers.put("paused", true);
        shows(check, Status.WARN, "paused");
        answers.put("leaseAgeMillis", 60_000L);
        shows(check, Status.CRITICAL, "60000 ms");
    }

    @Test
    void shouldWarnOfATableThatFillsUp() {
        TableCheck check = new TableCheck();
        check.table = service(FlowTable.class);

        table(79, 0, 0);
        shows(check, Status.OK, "79 of 100");
        table(70, 10, 0);
        shows(check, Status.WARN, "80 of 100", "10 of them");
        table(60, 40, 0);
        shows(check, Status.CRITICAL, "refused");
    }

    @Test
    void shouldSayThatATableWhichIsJustLeavingIsNotThere() {
        LedgerCheck ledger = new LedgerCheck();
        ledger.table = service(FlowTable.class);
        TableCheck table = new TableCheck();
        table.table = ledger.table;

        answers.put("statistics", new IllegalStateException("the flow table is gone"));
        shows(ledger, Status.CRITICAL, "no flow table is running");
        shows(table, Status.CRITICAL, "no flow table is running");
    }

    @Test
    void shouldTellOfPacketsThatAreNotAccountedFor() {
        LedgerCheck check = new LedgerCheck();
        check.table = service(FlowTable.class);

        table(1, 0, 0);
        shows(check, Status.OK);
        table(1, 0, 3);
        shows(check, Status.CRITICAL, "3 packets");
    }

    @Test
    void shouldJudgeTheTrafficSinceTheLastLook() {
        ParsedCheck check = new ParsedCheck();
        check.dataPlane = service(DataPlane.class);

        verdicts(9_600, 400);
        assertThat(check.execute().getStatus()).isEqualTo(Status.OK);
        verdicts(10_500, 500); // 100 of 1000
        assertThat(check.execute().toString()).contains("10").contains("1000 bytes");
        verdicts(10_600, 600); // 100 of 200
        assertThat(check.execute().getStatus()).isEqualTo(Status.WARN);
        assertThat(check.execute().getStatus()).as("no traffic").isEqualTo(Status.OK);
        verdicts(96, 4); // another table
        assertThat(check.execute().getStatus()).isEqualTo(Status.OK);
    }

    @Test
    void shouldSayWhenNoFlowEndsByItself() {
        SweepsCheck check = new SweepsCheck(() -> now);
        check.expiry = service(Expiry.class);

        answers.putAll(Map.of("sweeps", 5L, "sweepIntervalMillis", 1000, "lastSweepMillis", 12.5, "quarantinedPolicies",
                List.of(), "activePolicies", List.of("idle")));
        shows(check, Status.OK, "5 sweeps");
        now = TimeUnit.MILLISECONDS.toNanos(6000);
        shows(check, Status.OK);
        now = TimeUnit.MILLISECONDS.toNanos(6001);
        shows(check, Status.CRITICAL, "no sweep for 6001 ms");
        answers.put("sweeps", 6L);
        shows(check, Status.OK);
        answers.put("lastSweepMillis", 1000.5);
        shows(check, Status.WARN, "1000");
        answers.put("activePolicies", List.of());
        shows(check, Status.WARN, "no policy");
        answers.put("quarantinedPolicies", List.of("bad"));
        shows(check, Status.WARN, "bad");
    }
}
