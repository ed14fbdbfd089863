// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import java.util.List;

/**
 * What was measured of one contestant.
 *
 * @param name what it is called
 * @param unit of each repetition
 * @param repetitions in the order in which they were measured; at least one
 */
public record Figure(String name, String unit, List<Double> repetitions) {
    /** Takes over what is given. */
    public Figure {
        repetitions = List.copyOf(repetitions);
        if (repetitions.isEmpty()) {
            throw new IllegalArgumentException(name + " was never measured");
        }
    }

    double min() {
        return sorted(0);
    }

    double max() {
        return sorted(repetitions.size() - 1);
    }

    /** The one in the middle; of an even number, the mean of both there. */
    double median() {
        int size = repetitions.size();
        return (sorted((size - 1) / 2) + sorted(size / 2)) / 2;
    }

    private double sorted(int index) {
        return repetitions.stream().sorted().skip(index).findFirst().orElseThrow();
    }
}
