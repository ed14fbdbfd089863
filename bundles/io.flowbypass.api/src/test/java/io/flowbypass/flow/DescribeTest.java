// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class DescribeTest {
    private static final FlowKey LONGEST = FlowKey.of(Protocols.TCP, "2001:db8:1111:2222:3333:4444:5555:6666", 65535,
            "2001:db8:1111:2222:3333:4444:5555:7777", 65534);

    private static FlowState flow(CutAction action, String asker, String rule, String cookie) {
        DirectionCounts counts = new DirectionCounts(1_234_567_890, 1_234_567_890_123L, 0);
        Instant seen = Instant.parse("2026-11-28T22:48:39.154611393Z");
        return new FlowState(LONGEST, counts, counts, seen, seen, action, Origin.SURICATA, asker, rule, cookie);
    }

    /** JConsole shows results in a small window, scrolled to its end. */
    @Test
    void shouldShowAFlowInShortLinesOfWhichTheFirstOneNamesIt() {
        String text = flow(CutAction.DROP, "a tool", "elephant", "CHhAvVGS1DHFjwGM9").describe();

        assertThat(text.lines()).startsWith(LONGEST.toString())
                .contains("  bypassed 2026-11-28T22:48:39.154Z", "  forward 1234567890 packets 1234567890123 bytes")
                .filteredOn(line -> line.startsWith("  ") && !line.contains("asked by")).hasSize(4)
                .allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(48));
        assertThat(text).endsWith("  asked by suricata a tool, rule elephant, cookie CHhAvVGS1DHFjwGM9");
    }

    @Test
    void shouldLeaveOutWhatIsNotGivenAndNameAnActionOtherThanDropping() {
        assertThat(flow(CutAction.COUNT, "", "", "").describe()).startsWith(LONGEST + ", count\n").endsWith("asked by suricata");
    }

    @Test
    void shouldKeepWhatItShowsFromATerminal() {
        FlowState flow = flow(CutAction.DROP, "a\u001b[2J", "\u009b1m$\\ä", "\u007f\n\0");
        assertThat(flow.describe())
                .endsWith("  asked by suricata a\\u001b[2J, rule \\u009b1m$\\ä, cookie \\u007f\\u000a\\u0000");
        assertThat(flow.askedBy()).isEqualTo("suricata a\\u001b[2J");
    }

    @Test
    void shouldSayOfARecordWhyItEnded() {
        FlowState flow = flow(CutAction.DROP, "", "", "");
        assertThat(new FlowRecord("1f-2-3", flow, EndReason.IDLE, "idle").describe())
                .isEqualTo("ended IDLE (idle): " + flow.describe() + "\n  record 1f-2-3");
        assertThat(new FlowRecord("1f-2-3", flow, EndReason.RELEASED, "").describe()).startsWith("ended RELEASED: ");
    }

    @Test
    void shouldSayOfADifferenceWhatBothWouldDo() {
        assertThat(new Difference(LONGEST, Decision.KEEP, Decision.end(EndReason.IDLE, "idle")).describe())
                .isEqualTo(LONGEST + "\n  active keep, other IDLE (idle)");
    }

    @Test
    void shouldNameItsFieldsInOrderAndLeaveOutWhatIsNotGiven() {
        FlowState flow = flow(CutAction.COUNT, "root", "", "CHhAvVGS1DHFjwGM9");

        assertThat(new FlowRecord("1f-2-3", flow, EndReason.IDLE, "idle").fields().keySet()).containsExactly("id", "reason",
                "detail", "proto", "src_ip", "src_port", "dest_ip", "dest_port", "action", "origin", "asker", "cookie", "pkts_toserver",
                "bytes_toserver", "pkts_toclient", "bytes_toclient", "start", "last");
        assertThat(flow.fields()).containsEntry("proto", "TCP").containsEntry("src_port", 65535).containsEntry("action", "count")
                .containsEntry("origin", "suricata").containsEntry("pkts_toserver", 1_234_567_890L).hasEntrySatisfying("start",
                        start -> assertThat(start.toString()).matches("2026-11-2\\dT\\d\\d:\\d\\d:39\\.154611[+-]\\d{4}"));
        assertThat(LONGEST.withVlans(100, 0).fields()).containsEntry("vlan", List.of(100));
        assertThat(LONGEST.withVlans(100, 200).fields()).containsEntry("vlan", List.of(100, 200));
    }
}
