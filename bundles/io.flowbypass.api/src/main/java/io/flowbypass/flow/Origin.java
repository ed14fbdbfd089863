// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

/** The kind of tool that asked for a bypass. The codes are stored in the native table. */
public enum Origin {
    /** A person or a script: JMX, the shell, the control socket. */
    MANUAL(1),
    /** Zeek. */
    ZEEK(2),
    /** Suricata. */
    SURICATA(3),
    /** The kernel's own automatic cut-off. */
    AUTOMATIC(4),
    /** Any other tool. */
    OTHER(5);

    private final int code;

    Origin(int code) {
        this.code = code;
    }

    /** The number that stands for this origin in the native table, 1 to 255. */
    public int code() {
        return code;
    }

    /** The origin with this code; {@link #OTHER} for a code that this version does not know. */
    public static Origin ofCode(int code) {
        for (Origin origin : values()) {
            if (origin.code == code) {
                return origin;
            }
        }
        return OTHER;
    }
}
