// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

/**
 * What a ratio is to be.
 *
 * @param name that of the ratio
 * @param limit the most that is good
 * @param value what it is
 */
public record Goal(String name, double limit, double value) {
    boolean met() {
        return value <= limit;
    }
}
