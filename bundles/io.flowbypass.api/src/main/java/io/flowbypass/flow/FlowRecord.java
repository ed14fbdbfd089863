// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/**
 * The result of a bypass: exact counts, and why it ended. Immutable.
 *
 * @param id table id, slot and generation, as {@code 1f3c9a0b5d2e4f60-17-3}: the same record delivered twice has the
 *     same id; of a flow in a table of another tool, a unique one that begins with {@code classic-}
 * @param flow the flow with its final counts
 * @param reason why it ended
 * @param detail a few words on that, such as the policy's name; possibly empty
 */
public record FlowRecord(String id, FlowState flow, EndReason reason, String detail) {
    /** Refuses nulls. */
    public FlowRecord {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(flow, "flow");
        Objects.requireNonNull(reason, "reason");
        Objects.requireNonNull(detail, "detail");
    }

    /** What is known of it, in order: {@code id}, {@code reason}, {@code detail} if it has one, and the {@link FlowState#fields}. */
    public Map<String, Object> fields() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("id", id);
        fields.put("reason", reason.name().toLowerCase(Locale.ROOT));
        FlowState.putText(fields, "detail", detail);
        fields.putAll(flow.fields());
        return fields;
    }

    /** For people: why it ended, the flow, and a short line below it for each thing that is known of it. */
    public String describe() {
        return "ended " + reason + (detail.isEmpty() ? "" : " (" + detail + ")") + ": " + flow.describe() + "\n  record " + id;
    }
}
