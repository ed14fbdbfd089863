// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.records.internal;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Where records go: into a file, and out as events. Takes some at a time. For one thread at a time. */
final class Output {
    /** What is written at once is about as large, and fits into the smallest file with the line that goes beyond. */
    private static final int CHUNK_BYTES = 1 << 14;

    /** Null: none. */
    private final RecordFile file;
    private final Events events;
    private final ByteArrayOutputStream lines = new ByteArrayOutputStream();
    private final List<Map<String, Object>> records = new ArrayList<>();

    Output(RecordFile file, Events events) {
        this.file = file;
        this.events = events;
    }

    /** Whether a record would go anywhere. */
    boolean leadsSomewhere() {
        return file != null || events != null;
    }

    /** Forgets what was added since the last {@link #flush()}. */
    void clear() {
        lines.reset();
        records.clear();
    }

    void add(Map<String, Object> record) {
        if (file != null) {
            Json.line(record, lines);
        }
        if (events != null) {
            records.add(record);
        }
    }

    /** Whether it is time for {@link #flush()}. */
    boolean isFull() {
        return lines.size() >= CHUNK_BYTES || records.size() >= CHUNK_BYTES / 64;
    }

    /** Writes and publishes what was added since. Where it throws, that is forgotten, and none of it is in the file. */
    void flush() throws IOException {
        try {
            if (lines.size() > 0) {
                file.append(lines.toByteArray());
            }
            for (Map<String, Object> record : records) {
                events.post(record);
            }
        } finally {
            clear();
        }
    }
}
