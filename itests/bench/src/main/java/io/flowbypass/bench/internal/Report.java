// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.Writer;
import java.util.List;
import java.util.Map;

/**
 * All that is known after a run, for machines.
 *
 * @param machine what was measured on
 * @param quick whether less was measured
 * @param results of all scenarios that ran
 */
record Report(Machine machine, boolean quick, List<Result> results) {
    /** Writes it as JSON, and closes what it is written to. */
    void write(Writer to) throws IOException {
        try (JsonGenerator json = new JsonFactory().createGenerator(to).useDefaultPrettyPrinter()) {
            json.writeStartObject();
            write(json, machine);
            json.writeBooleanField("quick", quick);
            json.writeArrayFieldStart("scenarios");
            for (Result result : results) {
                write(json, result);
            }
            json.writeEndArray();
            json.writeEndObject();
        }
    }

    private static void write(JsonGenerator json, Machine machine) throws IOException {
        json.writeStringField("kernel", machine.kernel());
        json.writeObjectFieldStart("cpu");
        json.writeStringField("model", machine.cpuModel());
        json.writeNumberField("count", machine.cpus());
        json.writeEndObject();
        json.writeObjectFieldStart("jdk");
        json.writeStringField("version", machine.jdkVersion());
        json.writeStringField("vendor", machine.jdkVendor());
        json.writeEndObject();
        json.writeStringField("flowbypass", machine.flowbypass());
        json.writeStringField("libbpf", machine.libbpf());
    }

    private static void write(JsonGenerator json, Result result) throws IOException {
        json.writeStartObject();
        json.writeStringField("name", result.scenario());
        json.writeObjectFieldStart("sizes");
        for (Map.Entry<String, Long> size : result.sizes().entrySet()) {
            json.writeNumberField(size.getKey(), size.getValue());
        }
        json.writeEndObject();
        json.writeArrayFieldStart("figures");
        for (Figure figure : result.figures()) {
            write(json, figure);
        }
        json.writeEndArray();
        json.writeArrayFieldStart("ratios");
        for (Ratio ratio : result.ratios()) {
            json.writeStartObject();
            json.writeStringField("name", ratio.name());
            json.writeNumberField("value", ratio.value());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeArrayFieldStart("goals");
        for (Goal goal : result.goals()) {
            json.writeStartObject();
            json.writeStringField("name", goal.name());
            json.writeNumberField("limit", goal.limit());
            json.writeNumberField("value", goal.value());
            json.writeBooleanField("met", goal.met());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void write(JsonGenerator json, Figure figure) throws IOException {
        json.writeStartObject();
        json.writeStringField("name", figure.name());
        json.writeStringField("unit", figure.unit());
        json.writeNumberField("min", figure.min());
        json.writeNumberField("median", figure.median());
        json.writeNumberField("max", figure.max());
        json.writeArrayFieldStart("repetitions");
        for (double repetition : figure.repetitions()) {
            json.writeNumber(repetition);
        }
        json.writeEndArray();
        json.writeEndObject();
    }
}
