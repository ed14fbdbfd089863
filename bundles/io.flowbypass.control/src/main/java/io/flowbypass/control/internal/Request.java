// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.control.internal;

import static io.flowbypass.control.internal.RefusedException.badRequest;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.Origin;
import io.flowbypass.flow.Protocols;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;

/** One line of a client. */
final class Request {
    /** What can be asked for. */
    enum Op {
        CUT, RELEASE, FIND, LIST, STATUS, PAUSE, RESUME, PING
    }

    static final int MAX_LIMIT = 1000;
    private static final int USUAL_LIMIT = 100;
    private static final int NO_PORT = -1;
    private static final String OPS = "cut, release, find, list, status, pause, resume or ping";
    private static final JsonFactory JSON = JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES).build();

    private Long id;
    private Op op;
    private String protocol;
    private String source;
    private int sourcePort = NO_PORT;
    private String destination;
    private int destinationPort = NO_PORT;
    private int outerVlan;
    private int innerVlan;
    private Duration idleTimeout = Duration.ZERO;
    private Origin origin = Origin.MANUAL;
    private String rule = "";
    private String cookie = "";
    private boolean hostPair;
    private int offset;
    private int limit = USUAL_LIMIT;

    /**
     * Reads a line. After a refusal {@link #id} is known when it came before what is wrong.
     *
     * @throws RefusedException saying what is wrong with it
     */
    void read(char[] line, int length) {
        try (JsonParser json = JSON.createParser(line, 0, length)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw badRequest("a request is a JSON object on a line of its own, such as {\"op\":\"ping\"}");
            }
            for (String field = json.nextFieldName(); field != null; field = json.nextFieldName()) {
                json.nextToken();
                read(field, json);
            }
            if (json.nextToken() != null) {
                throw badRequest("there is something behind the request: each has a line of its own");
            }
        } catch (JsonProcessingException e) {
            throw badRequest("the line is not JSON: " + e.getOriginalMessage());
        } catch (IOException e) {
            throw new AssertionError("memory can be read", e);
        }
        if (op == null) {
            throw badRequest("op is missing: write " + OPS);
        }
    }

    private void read(String field, JsonParser json) throws IOException {
        switch (field) {
            case "id" -> id = integer(field, json, Long.MIN_VALUE, Long.MAX_VALUE);
            case "op" -> op = op(text(field, json));
            case "proto" -> protocol = json.currentToken() == JsonToken.VALUE_NUMBER_INT ? json.getText()
                    : text(field, json);
            case "src_ip" -> source = text(field, json);
            case "src_port" -> sourcePort = port(field, json);
            case "dest_ip" -> destination = text(field, json);
            case "dest_port" -> destinationPort = port(field, json);
            case "vlan" -> readVlan(json);
            case "ttl" -> idleTimeout = Duration.ofSeconds(integer(field, json, 1, BypassRequest.MAX_TIMEOUT.toSeconds()));
            case "origin" -> origin = origin(text(field, json));
            case "rule" -> rule = text(field, json);
            case "cookie" -> cookie = text(field, json);
            case "host_pair" -> hostPair = truth(field, json);
            case "offset" -> offset = (int) integer(field, json, 0, Integer.MAX_VALUE);
            case "limit" -> limit = (int) integer(field, json, 1, MAX_LIMIT);
            default -> throw badRequest("the field \"" + field + "\" is not known");
        }
    }

    /** A number, or as in EVE a list of one or two. */
    private void readVlan(JsonParser json) throws IOException {
        if (json.currentToken() != JsonToken.START_ARRAY) {
            outerVlan = vlan(json);
            return;
        }
        int count = 0;
        while (json.nextToken() != JsonToken.END_ARRAY) {
            count++;
            switch (count) {
                case 1 -> outerVlan = vlan(json);
                case 2 -> innerVlan = vlan(json);
                default -> throw badRequest("vlan has more than two ids");
            }
        }
    }

    private static int vlan(JsonParser json) throws IOException {
        return (int) integer("vlan", json, 0, 4095);
    }

    private static int port(String field, JsonParser json) throws IOException {
        return (int) integer(field, json, 0, 65535);
    }

    private static long integer(String field, JsonParser json, long min, long max) throws IOException {
        if (json.currentToken() != JsonToken.VALUE_NUMBER_INT) {
            throw badRequest(field + " is no whole number");
        }
        if (json.getNumberType() == JsonParser.NumberType.BIG_INTEGER || json.getLongValue() < min
                || json.getLongValue() > max) {
            throw badRequest(field + " is out of range: " + min + " to " + max);
        }
        return json.getLongValue();
    }

    private static boolean truth(String field, JsonParser json) {
        return switch (json.currentToken()) {
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            default -> throw badRequest(field + " is neither true nor false");
        };
    }

    private static String text(String field, JsonParser json) throws IOException {
        if (json.currentToken() != JsonToken.VALUE_STRING) {
            throw badRequest(field + " is no text in quotes");
        }
        String text = json.getText();
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
            throw badRequest(field + " has half of a character (an unpaired surrogate)");
        }
        return text;
    }

    private static Op op(String name) {
        for (Op op : Op.values()) {
            if (op.name().toLowerCase(Locale.ROOT).equals(name)) {
                return op;
            }
        }
        throw badRequest("op \"" + name + "\" is not known: write " + OPS);
    }

    private static Origin origin(String name) {
        return switch (name) {
            case "manual" -> Origin.MANUAL;
            case "zeek" -> Origin.ZEEK;
            case "suricata" -> Origin.SURICATA;
            case "other" -> Origin.OTHER;
            default -> throw badRequest("origin \"" + name + "\" is not known: write manual, zeek, suricata or other");
        };
    }

    /** What the answer begins with; null when there is none. */
    Long id() {
        return id;
    }

    Op op() {
        return op;
    }

    int offset() {
        return offset;
    }

    int limit() {
        return limit;
    }

    /**
     * The flow that it is about.
     *
     * @throws IllegalArgumentException when it names none
     */
    FlowKey key() {
        int number = Protocols.parse(present("proto", protocol));
        return FlowKey.of(number, present("src_ip", source), port("src_port", sourcePort, number),
                present("dest_ip", destination), port("dest_port", destinationPort, number)).withVlans(outerVlan, innerVlan);
    }

    private static String present(String field, String value) {
        if (value == null) {
            throw badRequest(field + " is missing");
        }
        return value;
    }

    private static int port(String field, int value, int protocol) {
        if (value != NO_PORT) {
            return value;
        }
        if (Protocols.hasPorts(protocol)) {
            throw badRequest(field + " is missing");
        }
        return 0;
    }

    /**
     * The bypass that it asks for.
     *
     * @throws IllegalArgumentException when it names no flow, or a text is too long
     */
    BypassRequest bypass() {
        BypassRequest bypass = BypassRequest.of(key()).withOrigin(origin).withRule(rule).withCookie(cookie)
                .withIdleTimeout(idleTimeout);
        return hostPair ? bypass.withHostPair() : bypass;
    }
}
