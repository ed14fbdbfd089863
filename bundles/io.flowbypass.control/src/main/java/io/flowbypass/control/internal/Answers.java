// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.control.internal;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.flowbypass.flow.DirectionCounts;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowState;
import io.flowbypass.flow.Protocols;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** Writes answers, each a line of JSON. */
final class Answers {
    private static final JsonFactory JSON = new JsonFactory();
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSSxx", Locale.ROOT).withZone(ZoneId.systemDefault());

    private Answers() {
    }

    /** What an answer says besides that all is well. */
    interface Content {
        void write(JsonGenerator json) throws IOException;
    }

    /** What was asked for is done. */
    static byte[] done(Long id, Content content) {
        return line(id, true, content);
    }

    /** It is not. */
    static byte[] refused(Long id, Refusal refusal, String message) {
        return line(id, false, json -> {
            json.writeStringField("error", refusal.error());
            json.writeStringField("message", message);
        });
    }

    private static byte[] line(Long id, boolean ok, Content content) {
        // A message may repeat half of a character, which only a stream of characters takes.
        StringWriter line = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(line)) {
            json.writeStartObject();
            if (id != null) {
                json.writeNumberField("id", id);
            }
            json.writeBooleanField("ok", ok);
            content.write(json);
            json.writeEndObject();
        } catch (IOException e) {
            throw new AssertionError("memory can be written to", e);
        }
        return line.append('\n').toString().getBytes(StandardCharsets.UTF_8);
    }

    /** A flow, as an object, with the names and values of flow records, as the shell's. */
    static void flow(JsonGenerator json, FlowState flow) throws IOException {
        json.writeStartObject();
        fields(json, flow);
        json.writeEndObject();
    }

    private static void fields(JsonGenerator json, FlowState flow) throws IOException {
        FlowKey key = flow.key();
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
        json.writeStringField("action", flow.action().name().toLowerCase(Locale.ROOT));
        json.writeStringField("origin", flow.origin().name().toLowerCase(Locale.ROOT));
        text(json, "asker", flow.asker());
        text(json, "rule", flow.rule());
        text(json, "cookie", flow.cookie());
        counts(json, "toserver", flow.forward());
        counts(json, "toclient", flow.reverse());
        json.writeStringField("start", TIME.format(flow.firstSeen()));
        json.writeStringField("last", TIME.format(flow.lastSeen()));
    }

    /** A flow that ended, as an object. */
    static void record(JsonGenerator json, FlowRecord record) throws IOException {
        json.writeStartObject();
        json.writeStringField("id", record.id());
        json.writeStringField("reason", record.reason().name().toLowerCase(Locale.ROOT));
        text(json, "detail", record.detail());
        fields(json, record.flow());
        json.writeEndObject();
    }

    private static void text(JsonGenerator json, String field, String value) throws IOException {
        if (!value.isEmpty()) {
            json.writeStringField(field, value);
        }
    }

    private static void counts(JsonGenerator json, String direction, DirectionCounts counts) throws IOException {
        json.writeNumberField("pkts_" + direction, counts.packets());
        json.writeNumberField("bytes_" + direction, counts.bytes());
    }
}
