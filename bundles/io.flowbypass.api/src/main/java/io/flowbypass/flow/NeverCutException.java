// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

/** A bypass was refused because the never-cut list, or an address of this machine, forbids it. */
public class NeverCutException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    /** With a sentence that names the flow and what forbids to cut it. */
    public NeverCutException(String message) {
        super(message);
    }
}
