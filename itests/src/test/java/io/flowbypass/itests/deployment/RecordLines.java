// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** What the bundle records has written. */
final class RecordLines {
    private static final ObjectMapper READER = new ObjectMapper();

    private RecordLines() {
    }

    /** The records of an event in a file, and in those that it was rotated into. The last line may be one in the making. */
    static List<JsonNode> of(Path file, String event) throws IOException {
        List<JsonNode> records = new ArrayList<>();
        List<Path> files;
        try (Stream<Path> all = Files.list(file.getParent())) {
            files = all.filter(each -> each.getFileName().toString().startsWith(file.getFileName().toString())).toList();
        }
        for (Path each : files) {
            String text = Files.readString(each);
            for (String line : text.substring(0, text.lastIndexOf('\n') + 1).lines().toList()) {
                JsonNode record = READER.readTree(line);
                if (record.get("event").asText().equals(event)) {
                    records.add(record);
                }
            }
        }
        return records;
    }

    /** Whether a file ends with the end of a line. */
    static boolean areWhole(Path file) throws IOException {
        return Files.readString(file).endsWith("\n");
    }

    /** Of them, those of flows with this source port. */
    static List<JsonNode> of(Path file, String event, int port) throws IOException {
        return of(file, event).stream().filter(record -> record.get("src_port").asInt() == port).toList();
    }
}
