// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import java.io.IOException;

/**
 * One of those that are measured by turns.
 *
 * @param figure what its figure is called
 * @param job what it does each time
 */
public record Contestant(String figure, Job job) {
    /** Something that is done again and again. */
    @FunctionalInterface
    public interface Job {
        /** Does it once, and returns what that cost, in the unit of the figure. */
        double cost() throws IOException, InterruptedException;
    }
}
