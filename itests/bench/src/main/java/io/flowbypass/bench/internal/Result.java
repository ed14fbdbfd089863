// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import java.util.List;
import java.util.Map;

/**
 * What a scenario found.
 *
 * @param scenario its name
 * @param sizes how much of what it was measured with
 * @param figures all that was measured
 * @param ratios what was compared
 * @param goals those that some of the ratios have
 */
record Result(String scenario, Map<String, Long> sizes, List<Figure> figures, List<Ratio> ratios, List<Goal> goals) {
}
