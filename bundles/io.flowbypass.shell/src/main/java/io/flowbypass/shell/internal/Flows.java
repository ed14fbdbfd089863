// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.shell.internal;

import com.fasterxml.jackson.core.JsonGenerator;
import io.flowbypass.flow.FlowState;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** Flows as rows of a table, and as JSON with the names and values of flow records, as the control socket's. */
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

    /** Writes fields as an object. */
    static void write(JsonGenerator json, Map<String, Object> fields) throws IOException {
        json.writeStartObject();
        for (Map.Entry<String, Object> field : fields.entrySet()) {
            json.writeFieldName(field.getKey());
            if (field.getValue() instanceof List<?> list) {
                json.writeStartArray();
                for (Object each : list) {
                    json.writeObject(each);
                }
                json.writeEndArray();
            } else {
                json.writeObject(field.getValue());
            }
        }
        json.writeEndObject();
    }

    /** Writes a field that has something to say. */
    static void text(JsonGenerator json, String field, String value) throws IOException {
        if (!value.isEmpty()) {
            json.writeStringField(field, value);
        }
    }
}
