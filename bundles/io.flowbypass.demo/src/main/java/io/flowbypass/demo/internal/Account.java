// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.demo.internal;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The demo in numbers, and what is wrong with them.
 *
 * @param seconds how long there was traffic
 * @param kernel its release
 * @param mode of XDP, native or generic
 * @param flowsBypassed flows that were bypassed
 * @param flowsExpired flows that a policy ended
 * @param flowsEnded all flows that ended, those that were taken out by hand included
 * @param flowsActive flows that are bypassed still
 * @param packetsTapped packets that reached the sensor's interface
 * @param packetsSeen packets that reached the capture
 * @param packetsDropped packets among these that the capture was too slow to take
 * @param packetsCut packets that XDP counted as cut
 * @param bytesCut their bytes
 * @param packetsRecorded packets in the records of the ended flows
 * @param ledger packets that the flow table says are unaccounted for
 * @param troubles what went wrong on the way, in sentences
 */
record Account(long seconds, String kernel, String mode, long flowsBypassed, long flowsExpired, long flowsEnded,
        long flowsActive, long packetsTapped, long packetsSeen, long packetsDropped, long packetsCut, long bytesCut,
        long packetsRecorded, long ledger, List<String> troubles) {

    /** An account of nothing but a trouble. */
    static Account unfinished(String trouble) {
        return new Account(0, System.getProperty("os.version"), "none", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                List.of(trouble));
    }

    /** Packets that were tapped, but neither seen nor cut, or the reverse. */
    long packetsUnaccounted() {
        return Math.abs(packetsTapped - packetsSeen - packetsCut);
    }

    /** "ok", or what is wrong. */
    String result() {
        List<String> wrong = new ArrayList<>(troubles);
        if (troubles.isEmpty()) {
            demand(wrong, flowsBypassed > 0, "No flow was bypassed.");
            demand(wrong, packetsCut > 0, "No packet was cut.");
            demand(wrong, flowsExpired > 0, "No flow expired.");
        }
        demand(wrong, packetsUnaccounted() == 0, packetsUnaccounted() + " packets are unaccounted for: " + packetsTapped
                + " were tapped, " + packetsSeen + " seen and " + packetsCut + " cut.");
        demand(wrong, flowsActive > 0 || packetsRecorded == packetsCut,
                "The records of the flows hold " + packetsRecorded + " packets, but " + packetsCut + " were cut.");
        demand(wrong, ledger == 0, "The flow table misses " + ledger + " packets that XDP counted.");
        return wrong.isEmpty() ? "ok" : String.join(" ", wrong);
    }

    private static void demand(List<String> wrong, boolean right, String otherwise) {
        if (!right) {
            wrong.add(otherwise);
        }
    }

    /** As JSON. */
    String json() {
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("seconds", seconds);
        members.put("kernel", kernel);
        members.put("mode", mode);
        members.put("flowsBypassed", flowsBypassed);
        members.put("flowsExpired", flowsExpired);
        members.put("flowsEnded", flowsEnded);
        members.put("flowsActive", flowsActive);
        members.put("packetsTapped", packetsTapped);
        members.put("packetsSeen", packetsSeen);
        members.put("packetsDroppedByCapture", packetsDropped);
        members.put("packetsCut", packetsCut);
        members.put("bytesCut", bytesCut);
        members.put("packetsInRecords", packetsRecorded);
        members.put("packetsUnaccounted", packetsUnaccounted());
        members.put("result", result());
        return members.entrySet().stream()
                .map(member -> "  \"" + member.getKey() + "\": " + value(member.getValue()))
                .collect(Collectors.joining(",\n", "{\n", "\n}\n"));
    }

    private static String value(Object value) {
        return value instanceof Number ? value.toString() : quoted(value.toString());
    }

    private static String quoted(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (c < ' ') {
                quoted.append(String.format("\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }
}
