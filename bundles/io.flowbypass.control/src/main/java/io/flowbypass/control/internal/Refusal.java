// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.control.internal;

import java.util.Locale;

/** Why a request is refused. */
enum Refusal {
    /** The table has no room. */
    TABLE_FULL("table_full"),
    /** The askers of one origin have their share of the table. */
    SHARE("table_full"),
    /** The askers of one origin ask for too many cuts in a second. */
    RATE("rate"),
    /** The never-cut list, or an address of this machine, forbids it. */
    NEVER_CUT("never_cut"),
    /** A protocol without ports, and no host pair was asked for. */
    PORTLESS("portless"),
    /** The flow is not bypassed. */
    NOT_FOUND("not_found"),
    /** The request says what makes no sense. */
    BAD_REQUEST("bad_request"),
    /** It cannot be done now. */
    UNAVAILABLE("unavailable");

    private final String error;

    Refusal(String error) {
        this.error = error;
    }

    /** As an answer names it. */
    String error() {
        return error;
    }

    /** As {@code status} names its count. */
    String counter() {
        return name().toLowerCase(Locale.ROOT);
    }
}
