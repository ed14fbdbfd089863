// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

import java.util.Objects;

/** What a {@link FlowTest} says of a flow: keep it bypassed, or end the bypass and why. Immutable. */
public final class Decision {
    /** The flow stays bypassed. */
    public static final Decision KEEP = new Decision(null, "");

    private final EndReason reason;
    private final String detail;

    private Decision(EndReason reason, String detail) {
        this.reason = reason;
        this.detail = detail;
    }

    /**
     * Ends the bypass. A test that is called for a million flows keeps its decisions in constants.
     *
     * @param reason why
     * @param detail a few words for the flow record; may be empty
     */
    public static Decision end(EndReason reason, String detail) {
        return new Decision(Objects.requireNonNull(reason, "reason"), Objects.requireNonNull(detail, "detail"));
    }

    /** Whether this decision ends the bypass. */
    public boolean ends() {
        return reason != null;
    }

    /** Why the bypass ends; null for {@link #KEEP}. */
    public EndReason reason() {
        return reason;
    }

    /** A few words for the flow record, possibly empty. */
    public String detail() {
        return detail;
    }

    @Override
    public String toString() {
        if (!ends()) {
            return "keep";
        }
        return detail.isEmpty() ? reason.name() : reason + " (" + detail + ")";
    }
}
