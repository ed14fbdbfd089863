// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

/** Why a bypass ended. The codes are stored in the native table. */
public enum EndReason {
    /** No packet in either direction for the flow's idle timeout. */
    IDLE(1),
    /** The TCP connection was closed by FIN. */
    TCP_CLOSED(2),
    /** The TCP connection was reset. */
    TCP_RESET(3),
    /** The bypass reached its maximum age or volume. */
    LIFETIME(4),
    /** A policy ended it for a reason of its own; the detail says which. */
    POLICY(5),
    /** Released by hand. */
    RELEASED(6),
    /** All flows were taken out at once. */
    FLUSHED(7),
    /** A new TCP connection (SYN without ACK) began on the same addresses and ports. */
    REOPENED(8),
    /** Found half taken out after a crash; its counts are complete. */
    RECOVERED(9),
    /** The never-cut list names it since it was changed. */
    NEVER_CUT(10);

    private final int code;

    EndReason(int code) {
        this.code = code;
    }

    /** The number that stands for this reason in the native table, 1 to 255. */
    public int code() {
        return code;
    }

    /** The reason with this code; {@link #RECOVERED} for a code that this version does not know. */
    public static EndReason ofCode(int code) {
        for (EndReason reason : values()) {
            if (reason.code == code) {
                return reason;
            }
        }
        return RECOVERED;
    }
}
