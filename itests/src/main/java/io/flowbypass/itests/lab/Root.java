// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import org.junit.jupiter.api.Assumptions;

/** What a test of the kernel needs. */
public final class Root {
    private Root() {
    }

    /** Skips the test, visibly, when it does not run as root. */
    public static void required() {
        Assumptions.assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
    }
}
