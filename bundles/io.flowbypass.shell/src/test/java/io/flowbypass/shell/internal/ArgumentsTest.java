// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.shell.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class ArgumentsTest {
    private static Arguments of(String usage, String... typed) {
        return new Arguments("a:b", usage, typed);
    }

    @Test
    void shouldTakeOptionsAnywhere() {
        Arguments arguments = of("NAME [WORD...] [--limit N] [--json]", "--json", "x", "--limit", "5", "y", "z");

        assertThat(arguments.words()).containsExactly("x", "y", "z");
        assertThat(arguments.has("--json")).isTrue();
        assertThat(arguments.number("--limit", 1, 10, 3)).isEqualTo(5);
        assertThat(of("[--limit N]").number("--limit", 1, 10, 3)).isEqualTo(3);
    }

    @Test
    void shouldSayWhatIsWrongWithTheUsage() {
        assertThatThrownBy(() -> of("[--json]", "--jsn")).hasMessage("there is no option --jsn; usage: a:b [--json]");
        assertThatThrownBy(() -> of("[--limit N]", "--limit")).hasMessageContaining("--limit needs a value");
        assertThatThrownBy(() -> of("[--json]", "--json", "--json")).hasMessageContaining("twice");
        assertThatThrownBy(() -> of("A B [--json]", "x")).hasMessageContaining("something is missing; usage: a:b A B");
        assertThatThrownBy(() -> of("A [B]", "x", "y", "z")).hasMessageContaining("\"z\" is too much");
        assertThatThrownBy(() -> of("", "x")).hasMessage("\"x\" is too much; usage: a:b");
    }

    @Test
    void shouldRefuseNumbersOutOfRange() {
        for (String text : new String[] {"0", "11", "-1", "x", "", "99999999999"}) {
            assertThatThrownBy(() -> Arguments.number("limit", text, 1, 10)).isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("limit \"" + text + "\" is not a number from 1 to 10");
        }
    }
}
