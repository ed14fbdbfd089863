// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

import java.util.ConcurrentModificationException;

/** Somebody else changes a map in a way that a walk cannot go on from. */
public final class CursorLostException extends ConcurrentModificationException {
    private static final long serialVersionUID = 1L;

    /** With a sentence that says what happened and what to do. */
    public CursorLostException(String message) {
        super(message);
    }
}
