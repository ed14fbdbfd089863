// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigurationTextTest {
    @Test
    void changesOneLineAndLeavesCommentsOrderAndBlankLines() throws IOException {
        assertThat(with("# about a = 1 \\\n! more\n\nb: x\n  a=1\n\n#end\n", "a", "2"))
                .isEqualTo("# about a = 1 \\\n! more\n\nb: x\na = 2\n\n#end\n");
    }

    @Test
    void replacesAValueOfSeveralLinesWhole() throws IOException {
        assertThat(with("a = one,\\\n    two,\\\n# three\nb = 1\n", "a", "x")).isEqualTo("a = x\nb = 1\n");
        assertThat(with("b = C:\\\\\na = 1\n", "a", "2")).isEqualTo("b = C:\\\\\na = 2\n");
    }

    @Test
    void appendsAKeyThatIsNotThere() throws IOException {
        assertThat(with("a = 1", "b", "2")).isEqualTo("a = 1\nb = 2\n");
        assertThat(with("", "b", "2")).isEqualTo("b = 2\n");
        assertThat(with("a = 1\r\n", "b", "2")).isEqualTo("a = 1\r\nb = 2\r\n");
    }

    @Test
    void takesAKeyOut() throws IOException {
        assertThat(with("# a\na = 1,\\\n  2\nb = 2\n", "a", null)).isEqualTo("# a\nb = 2\n");
    }

    @Test
    void changesTheLastLineWithoutAnEnd() throws IOException {
        assertThat(with("b = 1\na = 1", "a", "2")).isEqualTo("b = 1\na = 2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"C:\\x", " two  blanks ", "line\nline\r\tend", "Grüße €", "a = b # no: comment!", "", "\\"})
    void writesWhatIsReadAgain(String value) throws IOException {
        String text = with("# c\nkey = old\n", "key", value);

        assertThat(new ConfigurationText(text).values()).containsOnlyKeys("key").containsEntry("key", value);
        assertThat(text).isASCII().startsWith("# c\nkey = ");
    }

    @Test
    void writesKeysWithSigns() throws IOException {
        assertThat(new ConfigurationText(with("", "a b:c=#!", "1")).values()).containsEntry("a b:c=#!", "1");
    }

    @Test
    void refusesToOverwriteAPlaceholderOrToWriteOne() {
        assertThatThrownBy(() -> with("a = ${env:A}\n", "a", "1")).hasMessageContaining("placeholder");
        assertThatThrownBy(() -> with("a = 1\n", "a", "${env:A}")).hasMessageContaining("placeholder");
    }

    @Test
    void refusesValuesAndFormatsThatALineCannotHold() throws IOException {
        assertThatThrownBy(() -> with("a = 1\n", "a", new String[] {"1", "2"})).hasMessageContaining("several values");
        assertThatThrownBy(() -> with("a = 1\n", "a", List.of("1"))).hasMessageContaining("several values");
        assertThatThrownBy(() -> with("a = I\"1\"\nb = \"x\"\n", "a", 2)).hasMessageContaining("typed");
        assertThatThrownBy(() -> with("<?xml version=\"1.0\"?>\n", "a", 2)).hasMessageContaining("XML");
        assertThatThrownBy(() -> with("b = \\u12\n", "a", 2)).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> with("b = 1\\", "a", 2)).hasMessageContaining("unusual");
        assertThat(with("a = I\"1\"\nb = x\n", "a", 2)).isEqualTo("a = 2\nb = x\n");
    }

    private static String with(String text, String key, Object value) throws IOException {
        return new ConfigurationText(text).with(key, value).text();
    }
}
