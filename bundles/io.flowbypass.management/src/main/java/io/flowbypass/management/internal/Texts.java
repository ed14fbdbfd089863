// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import io.flowbypass.flow.CutAction;
import io.flowbypass.flow.DirectionCounts;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowState;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** Flows and lists for people. */
final class Texts {
    private Texts() {
    }

    /** Names separated by commas; blanks around them and empty ones do not count. */
    static List<String> names(String text) {
        return Stream.of(text.split(",")).map(String::strip).filter(name -> !name.isEmpty()).toList();
    }

    static String of(FlowState flow) {
        StringBuilder text = new StringBuilder().append(flow.key())
                .append(flow.action() == CutAction.DROP ? "" : ", " + flow.action().name().toLowerCase(Locale.ROOT))
                .append(": forward ").append(of(flow.forward()))
                .append(", reverse ").append(of(flow.reverse()))
                .append("; bypassed ").append(flow.firstSeen())
                .append(", last packet ").append(flow.lastSeen())
                .append("; asked by ").append(flow.origin().name().toLowerCase(Locale.ROOT));
        named(text, " ", flow.asker());
        named(text, ", rule ", flow.rule());
        named(text, ", cookie ", flow.cookie());
        return text.toString();
    }

    static String of(FlowRecord record) {
        String detail = record.detail().isEmpty() ? "" : " (" + record.detail() + ")";
        return "ended " + record.reason() + detail + ": " + of(record.flow()) + "; record " + record.id();
    }

    private static String of(DirectionCounts counts) {
        return counts.packets() + " packets " + counts.bytes() + " bytes";
    }

    private static void named(StringBuilder text, String what, String value) {
        if (!value.isEmpty()) {
            text.append(what).append(value);
        }
    }
}
