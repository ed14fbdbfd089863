// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The text of a {@code .cfg} file, in which one value at a time is changed and all else stays as it is: comments, order
 * and blank lines. Immutable.
 *
 * @param text as {@link Properties#load(java.io.Reader)} reads it
 */
record ConfigurationText(String text) {
    static final ConfigurationText EMPTY = new ConfigurationText("");

    private static final String PLACEHOLDER = "${";
    /** What FileInstall takes for a typed value, such as {@code I"60"}, where all values of a file are so. */
    private static final String TYPED = "\\s*[TILFDXSCBilfdxscb]?(\\[[\\S\\s]*\\]|\\{[\\S\\s]*\\}|\"[\\S\\s]*\")\\s*";

    /** Whether a value can stand in a file so that FileInstall reads it from there again. */
    static boolean canHold(Object value) {
        return !(value instanceof Collection<?>) && !value.getClass().isArray()
                && !value.toString().contains(PLACEHOLDER);
    }

    /**
     * The values, with placeholders as they are written.
     *
     * @throws IOException when it cannot be read as properties
     */
    Map<String, String> values() throws IOException {
        Properties properties = new Properties();
        try {
            properties.load(new StringReader(text));
        } catch (IllegalArgumentException e) {
            throw new IOException(e.getMessage(), e);
        }
        Map<String, String> values = new TreeMap<>();
        properties.stringPropertyNames().forEach(key -> values.put(key, properties.getProperty(key)));
        return values;
    }

    /**
     * This text with another value.
     *
     * @param value null for none
     * @throws IOException when the text cannot hold it; the message is a sentence's end that says why
     */
    ConfigurationText with(String key, Object value) throws IOException {
        Map<String, String> expected = values();
        if (expected.getOrDefault(key, "").contains(PLACEHOLDER)) {
            throw new IOException("it is a placeholder there; change it by hand");
        }
        if (text.startsWith("<") || !expected.isEmpty() && expected.values().stream().allMatch(v -> v.matches(TYPED))) {
            throw new IOException("the file has XML or typed values; change it by hand");
        }
        if (value != null && !canHold(value)) {
            throw new IOException("it has several values or a placeholder, which cannot stand there");
        }
        ConfigurationText edited = new ConfigurationText(edit(key, value));
        if (value == null) {
            expected.remove(key);
        } else {
            expected.put(key, value.toString());
        }
        if (!edited.values().equals(expected)) {
            throw new IOException("the file's lines are too unusual to change one of them; change it by hand");
        }
        return edited;
    }

    private String edit(String key, Object value) throws IOException {
        String newline = text.contains("\r\n") ? "\r\n" : "\n";
        String line = value == null ? "" : escaped(key, " =:#!") + " = " + escaped(value.toString(), "");
        StringBuilder edited = new StringBuilder();
        boolean found = false;
        for (String old : logicalLines()) {
            if (!new ConfigurationText(old).values().containsKey(key)) {
                edited.append(old);
            } else if (value != null) {
                edited.append(line).append(old.substring(old.stripTrailing().length()).contains("\n") ? newline : "");
            }
            found |= new ConfigurationText(old).values().containsKey(key);
        }
        if (!found && value != null) {
            edited.append(text.isEmpty() || text.endsWith("\n") ? "" : newline).append(line).append(newline);
        }
        return edited.toString();
    }

    /** Lines with their ends; those that a backslash continues are one. */
    private List<String> logicalLines() {
        List<String> lines = new ArrayList<>();
        boolean continued = false;
        for (String line : text.split("(?<=\n)|(?<=\r)(?!\n)")) {
            if (continued) {
                lines.add(lines.remove(lines.size() - 1) + line);
            } else {
                lines.add(line);
            }
            boolean comment = !continued && line.matches("[ \t\f]*[#!](?s:.*)");
            continued = !comment && line.replaceAll("[\r\n]", "").replaceAll("(?s)^.*[^\\\\]", "").length() % 2 == 1;
        }
        return lines;
    }

    private static String escaped(String raw, String more) {
        String text = raw.chars().mapToObj(c -> switch (c) {
            case '\\' -> "\\\\";
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            default -> c < ' ' || c > '~' ? String.format("\\u%04x", c)
                    : more.indexOf(c) < 0 ? Character.toString(c) : "\\" + (char) c;
        }).collect(Collectors.joining());
        return text.startsWith(" ") && more.isEmpty() ? "\\" + text : text;
    }
}
