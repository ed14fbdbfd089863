// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.control.internal;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** Writes answers, each a line of JSON. */
final class Answers {
    private static final JsonFactory JSON = new JsonFactory();

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
}
