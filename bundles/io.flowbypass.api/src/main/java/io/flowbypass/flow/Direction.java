// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

/** A direction of a flow, as seen by whoever asked for its bypass. */
public enum Direction {
    /** From the asker's source to the asker's destination. */
    FORWARD,
    /** From the asker's destination to the asker's source. */
    REVERSE
}
