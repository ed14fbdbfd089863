// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

/**
 * How many times as much ours costs as what it is compared with.
 *
 * @param name what it is called
 * @param value the quotient of both medians
 */
public record Ratio(String name, double value) {
    static Ratio of(String name, Figure ours, Figure baseline) {
        if (!ours.unit().equals(baseline.unit())) {
            throw new IllegalArgumentException(name + " would compare " + ours.unit() + " with " + baseline.unit());
        }
        return new Ratio(name, ours.median() / baseline.median());
    }
}
