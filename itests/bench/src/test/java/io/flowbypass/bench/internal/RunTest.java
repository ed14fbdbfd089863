// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RunTest {
    private final List<String> said = new ArrayList<>();
    private final StringBuilder turns = new StringBuilder();

    private Run run(boolean quick) {
        return new Run("maps", quick, new Run.Places(Path.of("."), Path.of("."), Path.of("."), ""), 1, said::add);
    }

    /** Costs 1 the first time, then 2, and so on. */
    private Contestant contestant(String name) {
        int[] turn = {0};
        return new Contestant(name, () -> {
            turns.append(name);
            return ++turn[0];
        });
    }

    private static Contestant always(String name, double cost) {
        return new Contestant(name, () -> cost);
    }

    @Test
    void shouldTakeTurnsAndNotCountTheFirstOfEach() throws Exception {
        List<Figure> figures = run(true).alternate("ns", contestant("a"), contestant("b"));
        assertThat(turns).hasToString("abababab");
        assertThat(figures).containsExactly(new Figure("a", "ns", List.of(2.0, 3.0, 4.0)),
                new Figure("b", "ns", List.of(2.0, 3.0, 4.0)));
        assertThat(said).containsExactly("Measuring maps: a; b ...");
    }

    @Test
    void shouldMeasureMoreWhenThereIsTime() throws Exception {
        assertThat(run(false).alternate("ns", contestant("a")).get(0).repetitions()).hasSize(7);
        assertThat(run(false).size("entries", 100, 10)).isEqualTo(100);
        assertThat(run(true).size("entries", 100, 10)).isEqualTo(10);
    }

    @Test
    void shouldMeetAGoalUpToItsLimitAndMissItAbove() throws Exception {
        Run run = run(true);
        List<Figure> figures = run.alternate("ns", always("ours", 13), always("baseline", 10));
        run.compare("just", figures.get(0), figures.get(1), 1.3);
        run.compare("not", figures.get(0), figures.get(1), 1.29);
        run.compare("without", figures.get(0), figures.get(1));
        assertThat(run.result().ratios()).containsExactly(new Ratio("just", 1.3), new Ratio("not", 1.3),
                new Ratio("without", 1.3));
        assertThat(run.result().goals()).containsExactly(new Goal("just", 1.3, 1.3), new Goal("not", 1.29, 1.3));
        assertThat(run.result().goals()).extracting(Goal::met).containsExactly(true, false);
    }

    @Test
    void shouldEndWhereAContestantFails() {
        Run run = run(true);
        Contestant wrong = new Contestant("wrong", () -> {
            throw new IOException("wrong is wrong");
        });
        assertThatThrownBy(() -> run.alternate("ns", contestant("a"), wrong)).hasMessage("wrong is wrong");
        assertThat(run.result().figures()).isEmpty();
    }

    @Test
    void shouldEndWhenItIsInterrupted() {
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> run(true).alternate("ns", contestant("a"))).isInstanceOf(InterruptedException.class);
        assertThat(turns).isEmpty();
    }
}
