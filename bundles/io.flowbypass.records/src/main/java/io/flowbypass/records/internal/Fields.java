// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.records.internal;

import io.flowbypass.flow.DirectionCounts;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowState;
import io.flowbypass.flow.Protocols;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What a record says, under the names and in the notation of Suricata's EVE log where that has it: names to texts, numbers,
 * lists and further such maps. Immutable; docs/records.md is the table of it.
 */
final class Fields {
    /** The field that tells which kind of record it is, and its values. */
    static final String EVENT = "event";
    static final String START = "start";
    static final String UPDATE = "update";
    static final String END = "end";

    private static final String POLICY_SEPARATOR = ": ";

    private final String host;
    private final int seed;
    private final DateTimeFormatter time;

    /**
     * Prepares it.
     *
     * @param host the name of this machine
     * @param seed of Community IDs
     * @param zone of times
     */
    Fields(String host, int seed, ZoneId zone) {
        this.host = host;
        this.seed = seed;
        time = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSSxx", Locale.ROOT).withZone(zone);
    }

    /** Of a flow that has ended. */
    Map<String, Object> ended(FlowRecord record, String interfaceName, Instant now) {
        Map<String, Object> fields = of(END, record.flow(), interfaceName, now);
        fields.put("id", record.id());
        fields.put("reason", lowerCase(record.reason()));
        String[] policy = record.detail().split(POLICY_SEPARATOR, 2);
        putText(fields, "policy", policy[0]);
        putText(fields, "detail", policy.length == 1 ? "" : policy[1]);
        return fields;
    }

    /**
     * Of a flow that is bypassed.
     *
     * @param event {@link #START} or {@link #UPDATE}
     * @param interfaceName where it comes in; empty where that may be one of several
     */
    Map<String, Object> of(String event, FlowState flow, String interfaceName, Instant now) {
        FlowKey key = flow.key();
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("timestamp", time.format(now));
        fields.put("event_type", "flowbypass");
        fields.put(EVENT, event);
        fields.put("host", host);
        putText(fields, "in_iface", interfaceName);
        putVlans(fields, key);
        fields.put("src_ip", text(key.source()));
        if (Protocols.hasPorts(key.protocol())) {
            fields.put("src_port", key.sourcePort());
        }
        fields.put("dest_ip", text(key.destination()));
        if (Protocols.hasPorts(key.protocol())) {
            fields.put("dest_port", key.destinationPort());
        }
        fields.put("proto", Protocols.name(key.protocol()));
        CommunityId.of(key, seed).ifPresent(id -> fields.put("community_id", id));
        fields.put("flow", counts(flow, event.equals(START)));
        fields.put("action", lowerCase(flow.action()));
        fields.put("origin", lowerCase(flow.origin()));
        putText(fields, "asker", flow.asker());
        putText(fields, "rule", flow.rule());
        putText(fields, "cookie", flow.cookie());
        return fields;
    }

    private Map<String, Object> counts(FlowState flow, boolean isStart) {
        DirectionCounts there = flow.forward();
        DirectionCounts back = flow.reverse();
        Map<String, Object> bypassed = new LinkedHashMap<>();
        bypassed.put("pkts_toserver", there.packets());
        bypassed.put("pkts_toclient", back.packets());
        bypassed.put("bytes_toserver", there.bytes());
        bypassed.put("bytes_toclient", back.bytes());
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("bypassed", bypassed);
        fields.put("start", time.format(flow.firstSeen()));
        if (!isStart) {
            fields.put("end", time.format(flow.lastSeen()));
            fields.put("age", Math.max(0, Duration.between(flow.firstSeen(), flow.lastSeen()).toSeconds()));
        }
        return fields;
    }

    private static void putVlans(Map<String, Object> fields, FlowKey key) {
        if (key.innerVlan() != 0) {
            fields.put("vlan", List.of(key.outerVlan(), key.innerVlan()));
        } else if (key.outerVlan() != 0) {
            fields.put("vlan", List.of(key.outerVlan()));
        }
    }

    private static void putText(Map<String, Object> fields, String name, String text) {
        if (!text.isEmpty()) {
            fields.put(name, text);
        }
    }

    private static String lowerCase(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    /** EVE writes every digit of an IPv6 address. */
    private static String text(InetAddress address) {
        byte[] bytes = address.getAddress();
        if (bytes.length == 4) {
            return address.getHostAddress();
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < bytes.length; i++) {
            text.append(i > 0 && i % 2 == 0 ? ":" : "");
            text.append(Character.forDigit(bytes[i] >> 4 & 0xf, 16)).append(Character.forDigit(bytes[i] & 0xf, 16));
        }
        return text.toString();
    }
}
