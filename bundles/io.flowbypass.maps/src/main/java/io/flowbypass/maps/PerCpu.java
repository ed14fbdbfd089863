// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

import java.util.Collections;
import java.util.List;
import java.util.function.BinaryOperator;
import java.util.function.ToLongFunction;

/**
 * The values that a per-CPU map has under one key: one for each CPU that this machine can have, also for those that are
 * off. Immutable where the values are.
 *
 * <p>The kernel copies them one after the other while programs go on writing: each value may be of another moment.
 *
 * @param values in the order of the CPUs' numbers
 */
public record PerCpu<V>(List<V> values) {
    /** Copies the list. */
    public PerCpu {
        values = List.copyOf(values);
    }

    /** The same value for each of so many CPUs; see {@link MapService#possibleCpus()}. */
    public static <V> PerCpu<V> same(V value, int cpus) {
        return new PerCpu<>(Collections.nCopies(cpus, value));
    }

    /** The sum over all CPUs of something in the value. */
    public long sum(ToLongFunction<? super V> of) {
        return values.stream().mapToLong(of).sum();
    }

    /** The greatest over all CPUs of something in the value. */
    public long max(ToLongFunction<? super V> of) {
        return values.stream().mapToLong(of).max().orElseThrow();
    }

    /** All values in one. */
    public V reduce(BinaryOperator<V> operator) {
        return values.stream().reduce(operator).orElseThrow();
    }
}
