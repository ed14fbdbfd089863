// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.shell.internal;

import com.fasterxml.jackson.core.JsonGenerator;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowState;
import io.flowbypass.flow.Protocols;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;

/** Flows as rows of a table, and as JSON with the names of EVE's fields. */
final class Flows {
    private static final String ROW = "%-50s %12s %16s %8s %8s  %s";
    private static final int SECONDS = 60;
    private static final int MINUTES = 60;

    private Flows() {
    }

    static String header() {
        return ROW.formatted("FLOW", "PACKETS", "BYTES", "IDLE", "AGE", "ASKED BY").stripTrailing();
    }

    static String row(FlowState flow, Instant now) {
        return ROW.formatted(flow.key(), flow.packets(), flow.bytes(), time(flow.lastSeen(), now),
                time(flow.firstSeen(), now), flow.askedBy());
    }

    private static String time(Instant since, Instant now) {
        long seconds = Math.max(0, Duration.between(since, now).toSeconds());
        if (seconds < SECONDS) {
            return seconds + "s";
        }
        return seconds < SECONDS * MINUTES ? seconds / SECONDS + "m" + seconds % SECONDS + "s"
                : seconds / SECONDS / MINUTES + "h" + seconds / SECONDS % MINUTES + "m";
    }

    static void write(JsonGenerator json, FlowState flow) throws IOException {
        json.writeStartObject();
        writeFields(json, flow);
        json.writeEndObject();
    }

    static void write(JsonGenerator json, FlowRecord record) throws IOException {
        json.writeStartObject();
        json.writeStringField("id", record.id());
        json.writeStringField("reason", record.reason().name());
        json.writeStringField("detail", record.detail());
        writeFields(json, record.flow());
        json.writeEndObject();
    }

    private static void writeFields(JsonGenerator json, FlowState flow) throws IOException {
        writeKey(json, flow.key());
        json.writeNumberField("pkts_toserver", flow.forward().packets());
        json.writeNumberField("bytes_toserver", flow.forward().bytes());
        json.writeNumberField("pkts_toclient", flow.reverse().packets());
        json.writeNumberField("bytes_toclient", flow.reverse().bytes());
        json.writeStringField("start", flow.firstSeen().toString());
        json.writeStringField("last", flow.lastSeen().toString());
        json.writeStringField("action", flow.action().name());
        json.writeStringField("origin", flow.origin().name());
        json.writeStringField("asker", flow.asker());
        json.writeStringField("rule", flow.rule());
        json.writeStringField("cookie", flow.cookie());
    }

    static void writeKey(JsonGenerator json, FlowKey key) throws IOException {
        json.writeStringField("proto", Protocols.name(key.protocol()));
        json.writeStringField("src_ip", key.source().getHostAddress());
        json.writeNumberField("src_port", key.sourcePort());
        json.writeStringField("dest_ip", key.destination().getHostAddress());
        json.writeNumberField("dest_port", key.destinationPort());
        if (key.outerVlan() != 0) {
            json.writeArrayFieldStart("vlan");
            json.writeNumber(key.outerVlan());
            if (key.innerVlan() != 0) {
                json.writeNumber(key.innerVlan());
            }
            json.writeEndArray();
        }
    }
}
