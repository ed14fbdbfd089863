// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import java.util.List;
import java.util.Locale;

/**
 * What a scenario found, as a picture in SVG: horizontal bars, first each goal's value beside its limit, then the median of each
 * figure, a group for each unit, with its least and greatest repetition. Readable in light and in dark; needs no font.
 */
final class Chart {
    private static final int WIDTH = 900;
    private static final int ROW = 18;
    private static final int BAR = 12;
    /** Where bars begin; their names end before. */
    private static final int START = 400;
    private static final int GAP = 6;
    /** Behind the longest bar, for its number. */
    private static final int NUMBER = 130;
    private static final int LONGEST = WIDTH - START - NUMBER;
    /** A goal that is missed by more is drawn as one that is missed by so much. */
    private static final double FURTHEST = 2;
    private static final String STYLE = """
            <style>
            text { font: 12px sans-serif; fill: #1f2328 }
            .title { font-weight: bold }
            .name { text-anchor: end }
            .bar { fill: #54aeff }
            .met { fill: #4ac26b }
            .missed { fill: #ff8182 }
            line { stroke: #1f2328 }
            .goal { stroke-dasharray: 3 2 }
            .page { fill: #ffffff }
            @media (prefers-color-scheme: dark) {
            text { fill: #e6edf3 }
            .bar { fill: #1f6feb }
            .met { fill: #238636 }
            .missed { fill: #da3633 }
            line { stroke: #e6edf3 }
            .page { fill: #0d1117 }
            }
            </style>
            """;

    private final StringBuilder body = new StringBuilder();
    private int rows;

    private Chart() {
    }

    /** Draws it. */
    static String of(Result result, Machine machine) {
        Chart chart = new Chart();
        chart.heading("title", "./flowbypass bench " + result.scenario());
        chart.heading("", machine.toString());
        if (!result.goals().isEmpty()) {
            chart.heading("title", "Goals: less is better, up to the dashed line is met");
            result.goals().forEach(chart::goal);
        }
        result.figures().stream().map(Figure::unit).distinct().forEach(unit -> chart.group(unit, result.figures().stream()
                .filter(figure -> figure.unit().equals(unit)).toList()));
        int height = (chart.rows + 1) * ROW;
        return String.format(Locale.ROOT, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\""
                + " viewBox=\"0 0 %1$d %2$d\">%n", WIDTH, height) + STYLE
                + "<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n" + chart.body + "</svg>\n";
    }

    private void goal(Goal goal) {
        // A limit of 0 has no parts; what is above is as far off as can be.
        double part = goal.limit() > 0 ? goal.value() / goal.limit() : goal.value() > 0 ? FURTHEST : 0;
        bar(goal.met() ? "met" : "missed", goal.name(), Math.min(FURTHEST, Math.max(0, part)) / FURTHEST,
                number(goal.value()) + " of " + number(goal.limit()));
        double limit = START + LONGEST / FURTHEST;
        vertical("goal", limit);
    }

    private void group(String unit, List<Figure> figures) {
        heading("title", unit);
        double most = figures.stream().mapToDouble(Figure::max).max().orElse(0);
        for (Figure figure : figures) {
            bar("bar", figure.name(), part(figure.median(), most), number(figure.median()));
            double least = START + LONGEST * part(figure.min(), most);
            double greatest = START + LONGEST * part(figure.max(), most);
            if (greatest - least >= 1) {
                body.append(String.format(Locale.ROOT, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%3$d\"/>%n", least, greatest,
                        rows * ROW - BAR / 2 + 2));
            }
        }
    }

    private static double part(double value, double most) {
        return most > 0 ? Math.max(0, value) / most : 0;
    }

    private void heading(String style, String text) {
        rows += style.isEmpty() ? 1 : 2;
        text(style, GAP, text);
    }

    /** A row of its own. */
    private void bar(String style, String name, double part, String number) {
        rows++;
        text("name", START - GAP, name);
        body.append(String.format(Locale.ROOT, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>%n", style, START,
                rows * ROW - BAR + 2, LONGEST * part, BAR));
        text("", START + LONGEST + GAP, number);
    }

    private void vertical(String style, double x) {
        body.append(String.format(Locale.ROOT, "<line class=\"%s\" x1=\"%.1f\" x2=\"%2$.1f\" y1=\"%d\" y2=\"%d\"/>%n", style, x,
                rows * ROW - ROW + GAP, rows * ROW + GAP));
    }

    private void text(String style, int x, String text) {
        body.append(String.format(Locale.ROOT, "<text class=\"%s\" x=\"%d\" y=\"%d\">%s</text>%n", style, x, rows * ROW,
                text.replace("&", "&amp;").replace("<", "&lt;")));
    }

    /** Three digits that say something. */
    static String number(double value) {
        int decimals = Math.abs(value) >= 100 || value == Math.rint(value) ? 0 : Math.abs(value) >= 10 ? 1
                : Math.abs(value) >= 0.1 ? 2 : 4;
        return String.format(Locale.ROOT, "%,." + decimals + "f", value);
    }
}
