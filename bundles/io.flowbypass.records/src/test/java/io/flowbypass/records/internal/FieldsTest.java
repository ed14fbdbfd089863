// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.records.internal;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.flowbypass.flow.CutAction;
import io.flowbypass.flow.DirectionCounts;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowState;
import io.flowbypass.flow.Origin;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FieldsTest {
    private static final Instant START = Instant.parse("2026-11-28T22:59:58.000001Z");
    private static final Instant LAST = Instant.parse("2026-11-28T23:00:07.999999999Z");
    private static final Instant NOW = Instant.parse("2026-11-28T23:01:00Z");

    private final Fields fields = new Fields("sensor", 1, ZoneOffset.UTC);

    private static FlowState flow(FlowKey key, String cookie) {
        return new FlowState(key, new DirectionCounts(3, 4_500_000_000L, 0x18), new DirectionCounts(2, 132, 0x10), START,
                LAST, CutAction.DROP, Origin.ZEEK, "zeek-1", "elephant", cookie);
    }

    private static String line(Map<String, Object> record) {
        ByteArrayOutputStream to = new ByteArrayOutputStream();
        Json.line(record, to);
        return to.toString(StandardCharsets.UTF_8);
    }

    private static JsonNode parsed(Map<String, Object> record) throws IOException {
        return new ObjectMapper().readTree(line(record));
    }

    @Test
    void isALineOfJsonWithTheNamesAndTheNotationOfEve() {
        FlowKey key = FlowKey.of(6, "128.232.110.120", 34855, "66.35.250.204", 80);
        FlowRecord record = new FlowRecord("1f3c-17-3", flow(key, "CHhAvVGS1DHFjwGM9"), EndReason.TCP_CLOSED,
                "tcp: half-closed");

        assertThat(line(fields.ended(record, "eth1", NOW))).isEqualTo("""
                {"timestamp":"2026-11-28T23:01:00.000000+0000","event_type":"flowbypass","event":"end","host":"sensor",\
                "in_iface":"eth1","src_ip":"128.232.110.120","src_port":34855,"dest_ip":"66.35.250.204","dest_port":80,\
                "proto":"TCP","community_id":"1:3V71V58M3Ksw/yuFALMcW0LAHvc=","flow":{"bypassed":{"pkts_toserver":3,\
                "pkts_toclient":2,"bytes_toserver":4500000000,"bytes_toclient":132},\
                "start":"2026-11-28T22:59:58.000001+0000","end":"2026-11-28T23:00:07.999999+0000","age":9},\
                "action":"drop","origin":"zeek","asker":"zeek-1","rule":"elephant","cookie":"CHhAvVGS1DHFjwGM9",\
                "id":"1f3c-17-3","reason":"tcp_closed","policy":"tcp","detail":"half-closed"}
                """);
    }

    @Test
    void leavesOutWhatIsNotKnown() throws IOException {
        FlowKey icmp = FlowKey.of(58, "2001:db8::1", 0, "fe80::a", 0);
        JsonNode record = parsed(fields.ended(new FlowRecord("1-1-1", flow(icmp, ""), EndReason.RELEASED, ""), "", NOW));

        assertThat(record.fieldNames()).toIterable().doesNotContain("in_iface", "vlan", "src_port", "dest_port",
                "community_id", "cookie", "policy", "detail");
        assertThat(record.get("proto").asText()).isEqualTo("IPv6-ICMP");
        assertThat(record.get("src_ip").asText()).isEqualTo("2001:0db8:0000:0000:0000:0000:0000:0001");
        assertThat(record.get("dest_ip").asText()).isEqualTo("fe80:0000:0000:0000:0000:0000:0000:000a");
        assertThat(record.get("reason").asText()).isEqualTo("released");
    }

    @Test
    void hasTheVlansAsAListAndTimesInTheLocalZone() throws IOException {
        Fields berlin = new Fields("sensor", 0, ZoneId.of("Europe/Berlin"));
        FlowKey key = FlowKey.of(17, "10.0.0.1", 1, "10.0.0.2", 2);

        JsonNode record = parsed(berlin.of(Fields.UPDATE, flow(key.withVlans(100, 200), ""), "", NOW));
        assertThat(record.get("vlan").toString()).isEqualTo("[100,200]");
        assertThat(record.get("timestamp").asText()).isEqualTo("2026-11-29T00:01:00.000000+0100");
        assertThat(record.get("event").asText()).isEqualTo("update");
        assertThat(record.get("flow").get("age").asInt()).isEqualTo(9);
        assertThat(record.has("id")).isFalse();
        assertThat(parsed(berlin.of(Fields.UPDATE, flow(key.withVlans(100, 0), ""), "", NOW)).get("vlan").toString())
                .isEqualTo("[100]");
    }

    @Test
    void tellsOfAFlowThatBeginsNoEnd() throws IOException {
        JsonNode record = parsed(fields.of(Fields.START, flow(FlowKey.of(17, "10.0.0.1", 1, "10.0.0.2", 2), ""), "", NOW));

        assertThat(record.get("event").asText()).isEqualTo("start");
        assertThat(record.get("flow").fieldNames()).toIterable().containsExactly("bypassed", "start");
    }

    @Test
    void keepsWhateverAnAskerWroteOnOneLine() throws IOException {
        String cookie = "a\"b\\c\nd\u0000\u2028é\uD83D\uDE00";
        FlowKey key = FlowKey.of(17, "10.0.0.1", 1, "10.0.0.2", 2);
        Map<String, Object> record = fields.of(Fields.START, flow(key, cookie), "", NOW);

        assertThat(line(record)).hasLineCount(1).endsWith("\n");
        assertThat(parsed(record).get("cookie").asText()).isEqualTo(cookie);
    }
}
