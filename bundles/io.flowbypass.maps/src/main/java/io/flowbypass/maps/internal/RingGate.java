// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

/** The gate of a ring's memory, which its one reader may close while it is inside. */
final class RingGate extends ReaderGate {
    /** Who is inside. */
    private volatile Thread reader;

    boolean isReader(Thread thread) {
        return reader == thread;
    }

    /** Enters as the reader; false when it is closed. */
    boolean enterAsReader() {
        if (!enter()) {
            return false;
        }
        reader = Thread.currentThread();
        return true;
    }

    /** Leaves; unmaps what a {@link #close()} of the reader left to it. */
    void exitAsReader() {
        reader = null;
        exit();
        if (isClosed()) {
            unmapUnused();
        }
    }

    @Override
    public void close() {
        if (isReader(Thread.currentThread())) {
            refuse();
        } else {
            super.close();
        }
    }
}
