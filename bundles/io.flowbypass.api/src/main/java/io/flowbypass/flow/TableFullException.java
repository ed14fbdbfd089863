// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

/** A bypass was refused because the table has no room; nothing was changed. */
public class TableFullException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    /** With a sentence that says how full the table is and what to do. */
    public TableFullException(String message) {
        super(message);
    }
}
