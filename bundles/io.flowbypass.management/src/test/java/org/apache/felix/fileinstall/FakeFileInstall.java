// SPDX-License-Identifier: Apache-2.0
package org.apache.felix.fileinstall;

import java.io.IOException;

/** Calls as FileInstall does, from its package. */
public final class FakeFileInstall {
    private FakeFileInstall() {
    }

    /** What it does. */
    public interface Work {
        /** Does it. */
        void run() throws IOException;
    }

    /** Does it. */
    public static void run(Work work) throws IOException {
        work.run();
    }
}
