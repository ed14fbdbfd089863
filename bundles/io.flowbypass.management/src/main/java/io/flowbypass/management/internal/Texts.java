// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.Protocols;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Flows and lists as people write them. */
final class Texts {
    private static final String ENDPOINT = "(?:\\[([^]\\s]+)]|([^:\\s]+)):(\\d{1,5})";
    private static final Pattern FLOW = Pattern.compile("(\\S+)\\s+" + ENDPOINT + "\\s*>\\s*" + ENDPOINT
            + "(?:\\s+vlan\\s+(\\d{1,4})(?:\\s+inner\\s+vlan\\s+(\\d{1,4}))?)?");

    private Texts() {
    }

    /** Names separated by commas; blanks around them and empty ones do not count. */
    static List<String> names(String text) {
        return Stream.of(text.split(",")).map(String::strip).filter(name -> !name.isEmpty()).toList();
    }

    /** As {@link #names} reads them. */
    static String of(List<String> names) {
        return String.join(", ", names);
    }

    /**
     * A flow as its key shows it.
     *
     * @throws IllegalArgumentException when this is none
     */
    static FlowKey flow(String text) {
        Matcher parts = FLOW.matcher(Objects.requireNonNull(text, "flow").strip());
        if (!parts.matches()) {
            throw new IllegalArgumentException("\"" + text + "\" is no flow: write it as list shows it, such as"
                    + " TCP 192.0.2.1:40000 > 198.51.100.7:443");
        }
        FlowKey key = FlowKey.of(Protocols.parse(parts.group(1)), either(parts, 2), number(parts, 4), either(parts, 5),
                number(parts, 7));
        return parts.group(8) == null ? key : key.withVlans(number(parts, 8), number(parts, 9));
    }

    private static String either(Matcher parts, int group) {
        return parts.group(group) == null ? parts.group(group + 1) : parts.group(group);
    }

    private static int number(Matcher parts, int group) {
        return parts.group(group) == null ? 0 : Integer.parseInt(parts.group(group));
    }
}
