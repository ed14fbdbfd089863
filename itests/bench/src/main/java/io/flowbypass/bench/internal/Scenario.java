// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import java.io.IOException;

/**
 * Something to measure. A scenario is one class: a component that is a service of this type, and uses whatever services it
 * measures.
 */
public interface Scenario {
    /** What the command line calls it: lower-case letters. */
    String name();

    /** Whether it runs only where it is named: for what takes long. */
    default boolean isOnlyNamed() {
        return false;
    }

    /**
     * Measures, and notes in the run what it found.
     *
     * @throws IOException when something that was measured did not do its job; the message is a sentence for the user
     */
    void run(Run run) throws IOException, InterruptedException;
}
