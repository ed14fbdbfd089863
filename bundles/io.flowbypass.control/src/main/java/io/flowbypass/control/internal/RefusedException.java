// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.control.internal;

/** A request is refused; the message is for whoever asked. */
final class RefusedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Refusal refusal;

    RefusedException(Refusal refusal, String message) {
        // Without a stack trace: whoever floods the socket with such requests pays more for them than we do.
        super(message, null, false, false);
        this.refusal = refusal;
    }

    static RefusedException badRequest(String message) {
        return new RefusedException(Refusal.BAD_REQUEST, message);
    }

    Refusal refusal() {
        return refusal;
    }
}
