// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.management.internal.Setting.Type;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xml.sax.SAXException;
import org.xml.sax.SAXParseException;

class MetatypeTest {
    static Metatype read(String pid) throws IOException, SAXException {
        try (InputStream xml = MetatypeTest.class.getResourceAsStream("/metatype.xml")) {
            return Metatype.read(xml, pid).orElseThrow();
        }
    }

    static Setting setting(String id) throws IOException, SAXException {
        return read("the.pid").settings().stream().filter(each -> each.id().equals(id)).findFirst().orElseThrow();
    }

    @Test
    void readsTheClassThatThePidDesignates() throws Exception {
        Metatype metatype = read("the.pid");

        assertThat(metatype.description()).isEqualTo("All kinds of attributes.");
        assertThat(metatype.settings()).extracting(Setting::id).containsExactly("tcp.seconds", "volume.bytes", "share",
                "enabled", "order-by", "label", "letter", "secret", "many", ".private");
        assertThat(read("the.factory")).isEqualTo(metatype);
    }

    @Test
    void findsNothingForAPidThatIsNotDesignated() throws Exception {
        try (InputStream xml = MetatypeTest.class.getResourceAsStream("/metatype.xml")) {
            assertThat(Metatype.read(xml, "unknown")).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource({"tcp.seconds, INTEGER, TcpSeconds, seconds", "volume.bytes, LONG, VolumeBytes, bytes",
        "share, DOUBLE, Share, ''", "enabled, BOOLEAN, Enabled, ''", "order-by, STRING, OrderBy, ''",
        "letter, CHARACTER, Letter, ''", "secret, PASSWORD, Secret, ''", ".private, INTEGER, Private, ''"})
    void givesATypeANameAndAUnit(String id, Type type, String attribute, String unit) throws Exception {
        Setting setting = setting(id);

        assertThat(setting.type()).isEqualTo(type);
        assertThat(setting.attribute()).isEqualTo(attribute);
        assertThat(setting.unit()).isEqualTo(unit);
    }

    @Test
    void readsDefaultBoundsAndEnumeration() throws Exception {
        Setting seconds = setting("tcp.seconds");

        assertThat(seconds.defaultText()).isEqualTo("300");
        assertThat(seconds.min()).isEqualByComparingTo("1");
        assertThat(seconds.max()).isEqualByComparingTo("604800");
        assertThat(setting("volume.bytes").defaultText()).isNull();
        assertThat(setting("order-by").options()).containsExactly("age", "size");
        assertThat(seconds.fullDescription())
                .isEqualTo("Ends after this time. (tcp.seconds: 1 to 604800 seconds; default 300)");
    }

    @Test
    void makesArraysReadOnlyAndPasswordsAndPrivateKeysWriteOnly() throws Exception {
        assertThat(setting("many").isWritable()).isFalse();
        assertThat(setting("many").isReadable()).isTrue();
        assertThat(setting("secret").isReadable()).isFalse();
        assertThat(setting("secret").isWritable()).isTrue();
        assertThat(setting(".private").isReadable()).isFalse();
    }

    @Test
    void refusesADoctype() {
        String xml = "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><MetaData>&e;</MetaData>";

        assertThatThrownBy(() -> Metatype.read(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)), "p"))
                .isInstanceOf(SAXParseException.class).hasMessageContaining("DOCTYPE");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "tcp.seconds | 0 | tcp.seconds = 0 is out of range: allowed is 1 to 604800 seconds",
        "tcp.seconds | 604801 | tcp.seconds = 604801 is out of range: allowed is 1 to 604800 seconds",
        "tcp.seconds | abc | tcp.seconds = abc is no integer: allowed is 1 to 604800 seconds",
        "tcp.seconds | 1.5 | tcp.seconds = 1.5 is no integer: allowed is 1 to 604800 seconds",
        "volume.bytes | -1 | volume.bytes = -1 is out of range: allowed is at least 0 bytes",
        "share | 0.6 | share = 0.6 is out of range: allowed is at most 0.5",
        "share | NaN | share = NaN is no number: allowed is at most 0.5",
        "enabled | yes | enabled = yes is no boolean: allowed is true or false",
        "order-by | name | order-by = name is not allowed: allowed is age, size",
        "label | a | label = a is out of range: allowed is 2 to 4 characters",
        "letter | ab | letter = ab is no character: allowed is one character"})
    void saysWhatIsAllowedWhenItRefusesAValue(String id, String value, String message) throws Exception {
        Setting setting = setting(id);

        assertThatThrownBy(() -> setting.parse(value)).isInstanceOf(IllegalArgumentException.class).hasMessage(message);
        assertThat(setting.allows(value)).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"tcp.seconds, 1", "tcp.seconds, 604800", "volume.bytes, 9000000000", "share, 0.5", "enabled, FALSE",
        "order-by, size", "label, abcd", "letter, x"})
    void takesAValueWithinItsBounds(String id, String value) throws Exception {
        assertThat(setting(id).parse(value)).isInstanceOf(setting(id).type().javaType());
    }
}
