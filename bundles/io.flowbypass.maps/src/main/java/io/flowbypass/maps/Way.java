// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

/** How a job that concerns many entries was done. */
public enum Way {
    /** Many entries by one system call. */
    BATCH("batch"),
    /** A system call or more for each entry: the kernel has no batches, or none for maps of this type. */
    WALK("walk");

    private final String text;

    Way(String text) {
        this.text = text;
    }

    @Override
    public String toString() {
        return text;
    }
}
