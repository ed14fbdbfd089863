// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * A bypassed flow at one moment. Immutable.
 *
 * @param key the flow, in the asker's direction
 * @param forward what was cut in the asker's direction
 * @param reverse what was cut in the other direction
 * @param firstSeen when it was bypassed
 * @param lastSeen when its last packet was seen in either direction, to some milliseconds; {@code firstSeen}
 *     where there was none
 * @param action what happens to its packets
 * @param origin the kind of tool that asked
 * @param asker who asked, at most 16 bytes of UTF-8, possibly empty
 * @param rule why, at most 16 bytes of UTF-8, possibly empty
 * @param cookie what the asker wants to find in the record (a Zeek uid, a Suricata flow_id), at most 32 bytes of
 *     UTF-8, possibly empty
 */
public record FlowState(FlowKey key, DirectionCounts forward, DirectionCounts reverse, Instant firstSeen,
        Instant lastSeen, CutAction action, Origin origin, String asker, String rule, String cookie) {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSSxx", Locale.ROOT).withZone(ZoneId.systemDefault());

    /** What a terminal obeys: a table may have it from a version that took it. */
    private static final Pattern CONTROL = Pattern.compile("[\\x00-\\x1f\\x7f-\\x9f]");

    /** Refuses nulls. */
    public FlowState {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(forward, "forward");
        Objects.requireNonNull(reverse, "reverse");
        Objects.requireNonNull(firstSeen, "firstSeen");
        Objects.requireNonNull(lastSeen, "lastSeen");
        Objects.requireNonNull(action, "action");
        Objects.requireNonNull(origin, "origin");
    }

    /** Packets of both directions. */
    public long packets() {
        return forward.packets() + reverse.packets();
    }

    /** Bytes of both directions. */
    public long bytes() {
        return forward.bytes() + reverse.bytes();
    }

    /**
     * What is known of it, in order, by the names that flow records have for it: the flow ({@link FlowKey#fields}), texts in lower case
     * for what is one of a few, counts as numbers, times in ISO 8601 with microseconds and the zone of this machine. Empty texts are
     * left out.
     */
    public Map<String, Object> fields() {
        Map<String, Object> fields = key.fields();
        fields.put("action", action.name().toLowerCase(Locale.ROOT));
        fields.put("origin", origin.name().toLowerCase(Locale.ROOT));
        putText(fields, "asker", asker);
        putText(fields, "rule", rule);
        putText(fields, "cookie", cookie);
        fields.put("pkts_toserver", forward.packets());
        fields.put("bytes_toserver", forward.bytes());
        fields.put("pkts_toclient", reverse.packets());
        fields.put("bytes_toclient", reverse.bytes());
        fields.put("start", TIME.format(firstSeen));
        fields.put("last", TIME.format(lastSeen));
        return fields;
    }

    static void putText(Map<String, Object> fields, String name, String text) {
        if (!text.isEmpty()) {
            fields.put(name, text);
        }
    }

    /** For people: the flow, and a short line below it for each thing that is known of it. */
    public String describe() {
        StringBuilder text = new StringBuilder().append(key)
                .append(action == CutAction.DROP ? "" : ", " + action.name().toLowerCase(Locale.ROOT))
                .append("\n  forward ").append(describe(forward))
                .append("\n  reverse ").append(describe(reverse))
                .append("\n  bypassed ").append(firstSeen.truncatedTo(ChronoUnit.MILLIS))
                .append("\n  last packet ").append(lastSeen.truncatedTo(ChronoUnit.MILLIS))
                .append("\n  asked by ").append(askedBy());
        named(text, ", rule ", rule);
        named(text, ", cookie ", cookie);
        return text.toString();
    }

    /** For people: the kind of tool that asked, and who. */
    public String askedBy() {
        StringBuilder text = new StringBuilder(origin.name().toLowerCase(Locale.ROOT));
        named(text, " ", asker);
        return text.toString();
    }

    private static String describe(DirectionCounts counts) {
        return counts.packets() + " packets " + counts.bytes() + " bytes";
    }

    private static void named(StringBuilder text, String what, String value) {
        if (!value.isEmpty()) {
            text.append(what).append(CONTROL.matcher(value)
                    .replaceAll(found -> "\\\\u%04x".formatted((int) found.group().charAt(0))));
        }
    }
}
