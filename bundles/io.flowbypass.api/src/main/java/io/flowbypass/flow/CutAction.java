// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

/** What XDP does to the packets of a bypassed flow; each one is counted. The codes are stored in the native table. */
public enum CutAction {
    /** Drops them. */
    DROP(0),
    /** Sends them out of another interface. */
    REDIRECT(1),
    /** Passes them: for trying out what a bypass would take away. */
    COUNT(2);

    private final int code;

    CutAction(int code) {
        this.code = code;
    }

    /** The number that stands for this action in the native table, 0 to 3. */
    public int code() {
        return code;
    }

    /** The action with this code; {@link #DROP} for a code that this version does not know. */
    public static CutAction ofCode(int code) {
        for (CutAction action : values()) {
            if (action.code == code) {
                return action;
            }
        }
        return DROP;
    }
}
