// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.Deque;

/** What has to be let go in the end, the latest first. One that fails is logged and keeps none of the others. */
final class Closers implements AutoCloseable {
    private static final Logger LOG = System.getLogger(Closers.class.getName());

    private final Deque<Runnable> closers = new ArrayDeque<>();

    void add(Runnable closer) {
        closers.push(closer);
    }

    @Override
    public void close() {
        while (!closers.isEmpty()) {
            try {
                closers.pop().run();
            } catch (RuntimeException | LinkageError failed) {
                LOG.log(Level.WARNING, "Something that the data plane held could not be let go; the end of this process does"
                        + " it.", failed);
            }
        }
    }
}
