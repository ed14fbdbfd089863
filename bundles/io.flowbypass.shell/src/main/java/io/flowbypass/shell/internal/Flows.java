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
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** Flows as rows of a table, and as JSON with the names and values of flow records, as the control socket's. */
final class Flows {
    private static final String ROW = "%-50s %12s %16s %8s %8s  %s";
    private static final int SECONDS = 60;
    private static final int MINUTES = 60;
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSSxx", Locale.ROOT).withZone(ZoneId.systemDefault());

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
        json.writeStringField("reason", lowerCase(record.reason()));
        text(json, "detail", record.detail());
        writeFields(json, record.flow());
        json.writeEndObject();
    }

    private static void writeFields(JsonGenerator json, FlowState flow) throws IOException {
        writeKey(json, flow.key());
        json.writeStringField("action", lowerCase(flow.action()));
        json.writeStringField("origin", lowerCase(flow.origin()));
        text(json, "asker", flow.asker());
        text(json, "rule", flow.rule());
        text(json, "cookie", flow.cookie());
        json.writeNumberField("pkts_toserver", flow.forward().packets());
        json.writeNumberField("bytes_toserver", flow.forward().bytes());
        json.writeNumberField("pkts_toclient", flow.reverse().packets());
        json.writeNumberField("bytes_toclient", flow.reverse().bytes());
        json.writeStringField("start", TIME.format(flow.firstSeen()));
        json.writeStringField("last", TIME.format(flow.lastSeen()));
    }

    private static String lowerCase(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    /** Writes a field that has something to say. */
    static void text(JsonGenerator json, String field, String value) throws IOException {
        if (!value.isEmpty()) {
            json.writeStringField(field, value);
        }
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
