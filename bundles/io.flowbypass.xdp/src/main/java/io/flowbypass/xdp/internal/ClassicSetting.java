// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import io.flowbypass.xdp.ClassicDialect;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * That a tool's tables are to be used.
 *
 * @param dialect the tool
 * @param interfaceName the interface that Suricata's pins are named after; empty for the others
 * @param entries how many each of its maps can hold, where we make them
 */
record ClassicSetting(ClassicDialect dialect, String interfaceName, int entries) {
    private static final Pattern ENTRY = Pattern.compile("([a-z]+)(?:/([^\\s/,.%]{1,15}))?(?:\\s+(\\d{1,8}))?");
    private static final int MAX_ENTRIES = 1 << 24;
    /** What Suricata's own program has. */
    private static final int ENTRIES = 32768;
    /** What Zeek's own program has. */
    private static final int ZEEK_ENTRIES = 65535;

    /**
     * Reads a list such as {@code libflowbypass 524288, suricata/eth1, zeek}.
     *
     * @throws IllegalArgumentException when it is another text
     */
    static List<ClassicSetting> list(String text) {
        List<ClassicSetting> all = Arrays.stream(text.split(",")).map(String::strip).filter(entry -> !entry.isEmpty())
                .map(ClassicSetting::of).toList();
        Set<ClassicDialect> dialects = EnumSet.noneOf(ClassicDialect.class);
        for (ClassicSetting setting : all) {
            if (!dialects.add(setting.dialect)) {
                throw new IllegalArgumentException("classic.tables names " + setting.dialect + " twice");
            }
        }
        return all;
    }

    private static ClassicSetting of(String text) {
        Matcher entry = ENTRY.matcher(text);
        ClassicDialect dialect = entry.matches() ? dialect(entry.group(1)) : null;
        if (dialect == null || (entry.group(2) != null) != (dialect == ClassicDialect.SURICATA)) {
            throw new IllegalArgumentException("classic.tables has \"" + text + "\": write libflowbypass, zeek, or suricata/"
                    + " and the interface that Suricata's maps are named after, which has neither dot nor %, such as suricata/eth1; and"
                    + " the entries of a map behind it if need be, such as zeek 131072");
        }
        int entries = entry.group(3) != null ? Integer.parseInt(entry.group(3))
                : dialect == ClassicDialect.ZEEK ? ZEEK_ENTRIES : ENTRIES;
        if (entries < 1 || entries > MAX_ENTRIES) {
            throw new IllegalArgumentException("classic.tables has \"" + text + "\": the entries of a map must be from 1 to "
                    + MAX_ENTRIES);
        }
        return new ClassicSetting(dialect, entry.group(2) == null ? "" : entry.group(2), entries);
    }

    private static ClassicDialect dialect(String word) {
        return Arrays.stream(ClassicDialect.values()).filter(dialect -> dialect.toString().equals(word)).findFirst()
                .orElse(null);
    }
}
