// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.control.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.Origin;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a line is answered. */
class OperationsTest {
    private static final String FLOW = "\"proto\":\"TCP\",\"src_ip\":\"10.0.0.1\",\"src_port\":4000,"
            + "\"dest_ip\":\"10.0.0.2\",\"dest_port\":443";
    private static final FlowKey KEY = FlowKey.of(6, "10.0.0.1", 4000, "10.0.0.2", 443);

    private final FakeTable table = new FakeTable();
    private final Counters counters = new Counters();
    private long nanos;
    private final Operations operations = new Operations(table, table.dataPlane(), counters, new Limits(8, 5, 80),
            () -> nanos);

    private String ask(String line) {
        CompletableFuture<byte[]> answer = operations.answer(line.toCharArray(), line.length(), "me");
        assertThat(answer).isDone();
        return new String(answer.join(), StandardCharsets.UTF_8).strip();
    }

    private static String cut(int sourcePort, String more) {
        return "{\"op\":\"cut\"," + FLOW.replace("4000", Integer.toString(sourcePort)) + more + "}";
    }

    private void refuses(String line, String error, String... parts) {
        String answer = ask(line);
        assertThat(answer).as(line).startsWith("{\"ok\":false,\"error\":\"" + error + "\",\"message\":\"");
        assertThat(List.of(parts)).as(answer).allMatch(answer::contains);
    }

    @Test
    void shouldCutWithAllThatTheLineSays() {
        assertThat(ask("{\"op\":\"cut\",\"id\":7," + FLOW + ",\"ttl\":60,\"origin\":\"zeek\",\"rule\":\"big\","
                + "\"cookie\":\"CHh\"}"))
                .isEqualTo("{\"id\":7,\"ok\":true,\"added\":true}");
        BypassRequest request = table.flows.get(KEY);
        assertThat(request.origin()).isEqualTo(Origin.ZEEK);
        assertThat(request.passControl()).isTrue();
        assertThat(request.asker()).isEqualTo("me");
        assertThat(request.rule()).isEqualTo("big");
        assertThat(request.cookie()).isEqualTo("CHh");
        assertThat(request.idleTimeout()).isEqualTo(Duration.ofSeconds(60));
        assertThat(request.hostPair()).isFalse();
        assertThat(ask("{\"id\":-1,\"op\":\"cut\"," + FLOW + "}")).isEqualTo("{\"id\":-1,\"ok\":true,\"added\":false}");
    }

    @Test
    void shouldKeepFinAndRstFromSuricata() {
        ask(cut(4000, ",\"origin\":\"suricata\""));
        assertThat(table.flows.get(KEY).passControl()).isFalse();
    }

    @Test
    void shouldCutBetweenHostsOnlyWhereThatIsAskedFor() {
        String esp = "\"proto\":50,\"src_ip\":\"2001:db8::1\",\"dest_ip\":\"2001:db8::2\"";
        refuses("{\"op\":\"cut\"," + esp + "}", "portless", "ESP", "host_pair");
        refuses("{\"op\":\"cut\"," + esp + ",\"host_pair\":false}", "portless");
        assertThat(ask("{\"op\":\"cut\"," + esp + ",\"host_pair\":true}")).contains("\"ok\":true");
        assertThat(table.flows.get(FlowKey.of(50, "2001:db8::1", 0, "2001:db8::2", 0)).hostPair()).isTrue();
    }

    @Test
    void shouldTakeVlansAsEveHasThem() {
        ask(cut(1, ",\"vlan\":[7,8]"));
        ask(cut(2, ",\"vlan\":9"));
        ask(cut(3, ",\"vlan\":[]"));
        assertThat(table.flows.keySet()).extracting(FlowKey::outerVlan).containsExactly(7, 9, 0);
        assertThat(table.flows.keySet()).extracting(FlowKey::innerVlan).containsExactly(8, 0, 0);
        refuses(cut(4, ",\"vlan\":[1,2,3]"), "bad_request", "vlan");
        refuses(cut(4, ",\"vlan\":[1,[2]]"), "bad_request", "vlan");
        refuses(cut(4, ",\"vlan\":4096"), "bad_request", "0 to 4095");
    }

    @Test
    void shouldFindListAndReleaseWithCounts() {
        ask(cut(4000, ",\"rule\":\"a\\\"\\u00e4\""));
        String seen = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSSxx").withZone(ZoneId.systemDefault())
                .format(Instant.parse("2026-11-25T12:00:00.123456Z"));
        String flow = FLOW + ",\"action\":\"drop\",\"origin\":\"manual\",\"asker\":\"me\",\"rule\":\"a\\\"ä\","
                + "\"pkts_toserver\":3,\"bytes_toserver\":300,\"pkts_toclient\":1,\"bytes_toclient\":60,"
                + "\"start\":\"" + seen + "\",\"last\":\"" + seen + "\"}";
        assertThat(ask("{\"op\":\"find\"," + FLOW + "}")).isEqualTo("{\"ok\":true,\"flow\":{" + flow + "}");
        assertThat(ask("{\"op\":\"list\"}"))
                .isEqualTo("{\"ok\":true,\"offset\":0,\"more\":false,\"flows\":[{" + flow + "]}");
        assertThat(ask("{\"op\":\"list\",\"limit\":1}")).contains("\"more\":true");
        assertThat(ask("{\"op\":\"list\",\"offset\":1}")).contains("\"flows\":[]");
        assertThat(ask("{\"op\":\"release\"," + FLOW + "}"))
                .isEqualTo("{\"ok\":true,\"flow\":{\"id\":\"1-2-3\",\"reason\":\"released\"," + flow + "}");
        refuses("{\"op\":\"find\"," + FLOW + "}", "not_found", "TCP 10.0.0.1:4000 > 10.0.0.2:443 is not bypassed");
        refuses("{\"op\":\"release\"," + FLOW + "}", "not_found", "is not bypassed");
    }

    @Test
    void shouldNameWhyAFlowIsNotCut() {
        refuses(cut(FakeTable.NEVER_CUT_PORT, ""), "never_cut", "never cut");
        table.gone = true;
        refuses(cut(1, ""), "unavailable", "gone");
        assertThat(counters.refused(Refusal.NEVER_CUT)).isEqualTo(1);
        assertThat(counters.refused(Refusal.UNAVAILABLE)).isEqualTo(1);
    }

    @Test
    void shouldRefuseTextsThatATerminalWouldObey() {
        refuses(cut(1, ",\"rule\":\"\\u001b[2J\""), "bad_request", "rule has the control character U+001B");
        refuses(cut(1, ",\"cookie\":\"\u009b2J\""), "bad_request", "cookie has the control character U+009B");
    }

    @Test
    void shouldKeepAnOriginToItsShareOfTheTable() {
        for (int port = 1; port <= 8; port++) {
            nanos += 1_000_000_000;
            assertThat(ask(cut(port, ",\"origin\":\"zeek\""))).contains("\"added\":true");
        }
        nanos += 1_000_000_000;
        refuses(cut(9, ",\"origin\":\"zeek\""), "table_full", "zeek has 8 of 10", "share.percent", "80");
        assertThat(ask(cut(8, ",\"origin\":\"zeek\""))).as("one that is there").contains("\"added\":false");
        assertThat(ask(cut(9, ""))).as("another origin").contains("\"added\":true");
        assertThat(ask(cut(10, ""))).contains("\"added\":true");
        nanos += 1_000_000_000;
        refuses(cut(11, ""), "table_full", "table full");
        assertThat(counters.refused(Refusal.SHARE)).isEqualTo(1);
        assertThat(counters.refused(Refusal.TABLE_FULL)).isEqualTo(1);
    }

    @Test
    void shouldKeepAnOriginToItsCutsInASecond() {
        for (int i = 0; i < 5; i++) {
            assertThat(ask(cut(1, ""))).contains("\"ok\":true");
        }
        refuses(cut(1, ""), "rate", "manual", "cuts.per.second");
        assertThat(ask(cut(2, ",\"origin\":\"zeek\""))).as("another origin").contains("\"ok\":true");
        assertThat(ask("{\"op\":\"find\"," + FLOW.replace("4000", "1") + "}")).as("no cut").contains("\"ok\":true");
        nanos += 200_000_000;
        assertThat(ask(cut(1, ""))).contains("\"ok\":true");
        refuses(cut(1, ""), "rate");
        operations.setLimits(new Limits(8, 10, 80));
        nanos += 100_000_000;
        assertThat(ask(cut(1, ""))).contains("\"ok\":true");
        assertThat(counters.refused(Refusal.RATE)).isEqualTo(2);
    }

    @Test
    void shouldPauseAndResumeAndTellTheStatus() {
        assertThat(ask("{\"op\":\"ping\",\"id\":9223372036854775807}"))
                .isEqualTo("{\"id\":9223372036854775807,\"ok\":true}");
        assertThat(ask("{\"op\":\"pause\"}")).isEqualTo("{\"ok\":true}");
        assertThat(table.paused).isTrue();
        refuses("{\"op\":\"dance\"}", "bad_request", "dance", "ping");
        assertThat(ask("{\"op\":\"status\"}")).contains("\"paused\":true", "\"capacity\":10", "\"active_zeek\":0",
                "\"requests\":4", "\"bad_request\":1");
        ask("{\"op\":\"resume\"}");
        assertThat(table.paused).isFalse();
    }

    @Test
    void shouldScanTheTableForAStatusAtMostTwiceASecond() {
        ask("{\"op\":\"status\"}");
        nanos += 500_000_000;
        ask(cut(1, ""));
        assertThat(ask("{\"op\":\"status\"}")).contains("\"active_flows\":1");
        assertThat(table.scans).isEqualTo(1);
        nanos++;
        ask("{\"op\":\"status\"}");
        assertThat(table.scans).isEqualTo(2);
    }

    @Test
    void shouldNotLookForAPageBeyondTheLastFlow() {
        ask(cut(1, ""));
        assertThat(ask("{\"op\":\"list\",\"offset\":1}")).contains("\"more\":false,\"flows\":[]");
        assertThat(table.pages).isZero();
        ask("{\"op\":\"list\",\"offset\":0}");
        assertThat(table.pages).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "cut", "{", "[]", "null", "{\"op\":", "{\"op\":\"ping\"} {\"op\":\"ping\"}",
            "{\"op\":\"ping\"}x",
            "{}", "{\"op\":null}", "{\"op\":[\"ping\"]}", "{\"op\":\"PING\"}", "{\"op\":\"ping\",\"op\":\"ping\"}",
            "{\"op\":\"ping\",\"oops\":1}", "{\"op\":\"ping\",\"id\":\"7\"}", "{\"op\":\"ping\",\"id\":1.5}",
            "{\"op\":\"ping\",\"id\":9223372036854775808}", "{\"op\":\"ping\",\"id\":1e400}", "{\"op\":\"\u0000\"}",
            "\u0000",
            "{\"op\":\"find\",\"cookie\":\"\\ud800\"}", "{\"op\":\"ping\",\"\\ud800\":1}",
            "{'op':'ping'}", "{\"op\":\"ping\",}"})
    void shouldRefuseWhatIsNoRequest(String line) {
        refuses(line, "bad_request");
    }

    @Test
    void shouldRefuseWhatIsDeepOrLong() {
        refuses("[".repeat(4000), "bad_request");
        refuses("{\"vlan\":" + "[".repeat(4000), "bad_request");
        refuses("{\"a\":".repeat(500), "bad_request", "a");
        refuses("{\"op\":\"ping\",\"id\":" + "9".repeat(4000) + "}", "bad_request");
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"TCP\" \"TPC\" TPC", "\"TCP\" 256 256", "\"TCP\" null proto", "4000 70000 65535",
            "4000 -1 65535",
            "4000 4000000000000 65535", "4000 \"80\" src_port", "\"10.0.0.1\" \"10.0.0.256\" 10.0.0.256",
            "\"10.0.0.1\" \"localhost\" localhost", "\"10.0.0.1\" \"::1\" families", "\"10.0.0.1\" 1 src_ip",
            "\"src_ip\" \"rule\" missing", "\"dest_port\" \"offset\" missing", "\"proto\" \"cookie\" missing"})
    void shouldRefuseWhatIsNoFlow(String change) {
        String[] words = change.split(" ");
        for (String op : new String[] {"cut", "find", "release"}) {
            refuses("{\"op\":\"" + op + "\"," + FLOW.replace(words[0], words[1]) + "}", "bad_request", words[2]);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"ttl\":0", "\"ttl\":604801", "\"ttl\":1.5", "\"origin\":\"automatic\"", "\"origin\":\"\"",
            "\"rule\":\"seventeen-letters\"", "\"rule\":null", "\"cookie\":\"123456789012345678901234567890123\"",
            "\"cookie\":\"a\\u0000b\"", "\"host_pair\":1", "\"limit\":0", "\"limit\":1001", "\"offset\":-1"})
    void shouldRefuseWhatIsOutOfRange(String field) {
        refuses(cut(4000, "," + field), "bad_request", field.replaceAll("\"(.*)\":.*", "$1"));
        assertThat(table.flows).isEmpty();
    }

    @Test
    void shouldNameTheRequestThatIsRefusedWhereItCan() {
        assertThat(ask("{\"id\":3,\"op\":\"dance\"}")).startsWith("{\"id\":3,\"ok\":false,");
    }

    @Test
    void shouldAnswerAReleaseOnceItsRecordIsThere() {
        table.releases = new ArrayList<>();
        ask(cut(4000, ""));
        String line = "{\"op\":\"release\"," + FLOW + "}";
        CompletableFuture<byte[]> answer = operations.answer(line.toCharArray(), line.length(), "me");
        assertThat(answer).isNotDone();
        table.releases.get(0).run();
        assertThat(new String(answer.join(), StandardCharsets.UTF_8)).contains("\"id\":\"1-2-3\"");
    }
}
