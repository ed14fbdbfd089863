// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What a scenario found, for people. */
final class Table {
    private Table() {
    }

    static String of(Result result) {
        StringBuilder text = new StringBuilder();
        line(text, "%s: %s", result.scenario(), result.sizes().entrySet().stream()
                .map(size -> String.format(Locale.ROOT, "%s %,d", size.getKey(), size.getValue()))
                .collect(Collectors.joining(", ")));
        String name = "  %-" + Stream.concat(result.figures().stream().map(Figure::name),
                result.ratios().stream().map(Ratio::name)).mapToInt(String::length).max().orElse(1) + "s";
        line(text, name + "%15s%15s%15s", "", "min", "median", "max");
        for (Figure figure : result.figures()) {
            line(text, name + "%,15.1f%,15.1f%,15.1f  %s%s", figure.name(), figure.min(), figure.median(), figure.max(),
                    figure.unit(), goal(result, figure.name()));
        }
        if (!result.ratios().isEmpty()) {
            line(text, name + "%10s%12s", "", "ratio", "goal");
        }
        for (Ratio ratio : result.ratios()) {
            line(text, name + "%,10.3f%s", ratio.name(), ratio.value(), goal(result, ratio.name()));
        }
        return text.toString();
    }

    private static String goal(Result result, String name) {
        return result.goals().stream().filter(goal -> goal.name().equals(name)).findFirst()
                .map(goal -> String.format(Locale.ROOT, "  %,10.3f  %s", goal.limit(), goal.met() ? "met" : "missed"))
                .orElse("");
    }

    private static void line(StringBuilder text, String format, Object... arguments) {
        text.append(String.format(Locale.ROOT, format, arguments).stripTrailing()).append(System.lineSeparator());
    }
}
