// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ReportTest {
    private static final Machine MACHINE = new Machine("6.1.0", "A \"fast\" one", 2, "17.0.1+1", "Somebody", "0.1.0", "1.1");
    private static final Result RESULT = new Result("maps", Map.of("entries", 100_000L),
            List.of(new Figure("walk, Java", "ns/entry", List.of(1200.0, 1100.5, 1300.0)),
                    new Figure("walk, C", "ns/entry", List.of(1000.0))),
            List.of(new Ratio("walk", 1.2), new Ratio("fill", 1.1), new Ratio("drain", 1.25)),
            List.of(new Goal("walk", 1.5, 1.2), new Goal("drain", 1.1, 1.25)));

    @Test
    void shouldBeJsonForMachines() throws IOException {
        StringWriter json = new StringWriter();
        new Report(MACHINE, true, List.of(RESULT)).write(json);
        assertThat(json.toString().replaceAll("\\s+", " ")).isEqualTo("""
                { "kernel" : "6.1.0", \
                "cpu" : { "model" : "A \\"fast\\" one", "count" : 2 }, \
                "jdk" : { "version" : "17.0.1+1", "vendor" : "Somebody" }, \
                "flowbypass" : "0.1.0", "libbpf" : "1.1", "quick" : true, \
                "scenarios" : [ { "name" : "maps", "sizes" : { "entries" : 100000 }, \
                "figures" : [ \
                { "name" : "walk, Java", "unit" : "ns/entry", "min" : 1100.5, "median" : 1200.0, "max" : 1300.0, \
                "repetitions" : [ 1200.0, 1100.5, 1300.0 ] }, \
                { "name" : "walk, C", "unit" : "ns/entry", "min" : 1000.0, "median" : 1000.0, "max" : 1000.0, \
                "repetitions" : [ 1000.0 ] } ], \
                "ratios" : [ { "name" : "walk", "value" : 1.2 }, { "name" : "fill", "value" : 1.1 }, \
                { "name" : "drain", "value" : 1.25 } ], \
                "goals" : [ { "name" : "walk", "limit" : 1.5, "value" : 1.2, "met" : true }, \
                { "name" : "drain", "limit" : 1.1, "value" : 1.25, "met" : false } ] } ] }""");
    }

    @Test
    void shouldHaveTheGoalOfAFigureBesideIt() {
        Result counted = new Result("chaos", Map.of(), List.of(new Figure("lost", "packets", List.of(3.0))), List.of(),
                List.of(new Goal("lost", 0, 3)));
        assertThat(Table.of(counted).replaceAll(" +", " ")).endsWith("\n lost 3.0 3.0 3.0 packets 0.000 missed\n");
    }

    @Test
    void shouldBeATableForPeopleWithEachGoalBesideItsRatio() {
        assertThat(Table.of(RESULT).replaceAll(" +", " ")).containsSubsequence("maps: entries 100,000\n",
                " min median max\n", " walk, Java 1,100.5 1,200.0 1,300.0 ns/entry\n", " walk, C 1,000.0 1,000.0 1,000.0 ns/entry\n");
        assertThat(Table.of(RESULT).replaceAll(" +", " ")).endsWith(
                " ratio goal\n walk 1.200 1.500 met\n fill 1.100\n drain 1.250 1.100 missed\n");
    }
}
