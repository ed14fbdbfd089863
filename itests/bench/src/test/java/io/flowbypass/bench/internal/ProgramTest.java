// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ProgramTest {
    private static Program shell(String script) throws Exception {
        return Program.start(Path.of("/bin/sh"), "-c", script, "sh", 17);
    }

    @Test
    void shouldAnswerLineByLine() throws Exception {
        try (Program program = shell("while read line; do echo \"$line $1\"; done")) {
            assertThat(program.ask("walk")).isEqualTo("walk 17");
            assertThat(program.ask("fill")).isEqualTo("fill 17");
        }
    }

    @Test
    void shouldSayHowItEndedWhenItGivesNoAnswer() throws Exception {
        try (Program program = shell("read line; exit 3")) {
            assertThatThrownBy(() -> program.ask("walk")).hasMessageContaining("sh ended with status 3");
            assertThatThrownBy(() -> program.ask("walk")).hasMessageContaining("sh ended with status 3");
        }
    }
}
