// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.records.internal;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;

/** Writes maps of texts, whole numbers, lists and maps as lines of JSON. Thread-safe. */
final class Json {
    private static final JsonFactory FACTORY = new JsonFactory();

    private Json() {
    }

    /** Appends a line. */
    static void line(Map<String, Object> fields, ByteArrayOutputStream to) {
        try (JsonGenerator generator = FACTORY.createGenerator(to)) {
            write(fields, generator);
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory", e);
        }
        to.write('\n');
    }

    private static void write(Object value, JsonGenerator to) throws IOException {
        if (value instanceof Map<?, ?> map) {
            to.writeStartObject();
            for (Map.Entry<?, ?> field : map.entrySet()) {
                to.writeFieldName(field.getKey().toString());
                write(field.getValue(), to);
            }
            to.writeEndObject();
        } else if (value instanceof List<?> list) {
            to.writeStartArray();
            for (Object each : list) {
                write(each, to);
            }
            to.writeEndArray();
        } else if (value instanceof Number number) {
            to.writeNumber(number.longValue());
        } else {
            to.writeString(value.toString());
        }
    }
}
