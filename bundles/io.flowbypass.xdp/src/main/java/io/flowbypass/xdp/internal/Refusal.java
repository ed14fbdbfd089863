// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

/** Something cannot be done; the message is a sentence for the operator that says why, and what to do. */
class Refusal extends Exception {
    private static final long serialVersionUID = 1L;

    Refusal(String sentence) {
        super(sentence);
    }

    Refusal(String sentence, Throwable cause) {
        super(sentence, cause);
    }
}
