// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.libbpf;

import io.flowbypass.libbpf.internal.Errno;

/** The kernel or libbpf refused a call. The message says what was tried, the error's name and what to do about it. */
public class BpfException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String operation;
    private final String error;
    private final String advice;

    /**
     * A refused call.
     *
     * @param operation what was tried, with the names and paths concerned: "opening the map pinned at /sys/fs/bpf/x"
     * @param error the error's name: "ENOENT"
     * @param advice what it means and what to do about it
     */
    public BpfException(String operation, String error, String advice) {
        super(operation + " failed with " + error + ": " + advice);
        this.operation = operation;
        this.error = error;
        this.advice = advice;
    }

    /** What was tried. */
    public String operation() {
        return operation;
    }

    /** Name of the error: "EPERM". */
    public String error() {
        return error;
    }

    /** What it means and what to do about it. */
    public String advice() {
        return advice;
    }

    /** Whether the same call may succeed later: it was interrupted, or a map's lock could not be had. */
    public boolean isTransient() {
        return Errno.isTransient(error);
    }

    /** Whether this is the error of that name. */
    public boolean is(String name) {
        return error.equals(name);
    }
}
