// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.shell.internal;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What was typed behind the name of a command, by the command's usage, such as {@code NAME [WORD...] [--limit N] [--json]}.
 * Options may stand anywhere.
 */
final class Arguments {
    private static final Pattern OPTION = Pattern.compile("\\[(--[a-z-]+)( [^\\]]+)?\\]");
    private static final String FURTHER = "...";
    private static final int NUMBER_DIGITS = 9;

    private final Map<String, String> options = new HashMap<>();
    private final List<String> words = new ArrayList<>();

    /**
     * Reads them.
     *
     * @throws IllegalArgumentException saying what is wrong, with the usage
     */
    Arguments(String command, String usage, String... typed) {
        String line = "usage: " + (command + " " + usage).strip();
        Map<String, Boolean> takesValue = new HashMap<>();
        Matcher option = OPTION.matcher(usage);
        while (option.find()) {
            takesValue.put(option.group(1), option.group(2) != null);
        }
        for (int i = 0; i < typed.length; i++) {
            if (!typed[i].startsWith("--")) {
                words.add(typed[i]);
            } else if (!takesValue.containsKey(typed[i])) {
                throw new IllegalArgumentException("there is no option " + typed[i] + "; " + line);
            } else if (options.containsKey(typed[i])) {
                throw new IllegalArgumentException("option " + typed[i] + " is given twice; " + line);
            } else if (!takesValue.get(typed[i])) {
                options.put(typed[i], "");
            } else if (i + 1 == typed.length) {
                throw new IllegalArgumentException("option " + typed[i] + " needs a value; " + line);
            } else {
                options.put(typed[i], typed[++i]);
            }
        }
        checkWords(option.replaceAll("").strip(), line);
    }

    private void checkWords(String names, String line) {
        int least = 0;
        boolean further = false;
        int most = 0;
        for (String name : names.isEmpty() ? new String[0] : names.split("\\s+")) {
            least += name.startsWith("[") ? 0 : 1;
            most++;
            further |= name.contains(FURTHER);
        }
        if (words.size() < least) {
            throw new IllegalArgumentException("something is missing; " + line);
        }
        if (words.size() > most && !further) {
            throw new IllegalArgumentException("\"" + words.get(most) + "\" is too much; " + line);
        }
    }

    /** The words that are no options. */
    List<String> words() {
        return words;
    }

    String word(int index) {
        return words.get(index);
    }

    boolean has(String option) {
        return options.containsKey(option);
    }

    /** The value of an option, or null. */
    String value(String option) {
        return options.get(option);
    }

    /**
     * The value of an option.
     *
     * @throws IllegalArgumentException when it is no number of that range
     */
    int number(String option, int least, int most, int otherwise) {
        return has(option) ? number(option, value(option), least, most) : otherwise;
    }

    /**
     * Reads a number.
     *
     * @throws IllegalArgumentException when it is no number of that range
     */
    static int number(String what, String text, int least, int most) {
        if (!text.matches("\\d{1," + NUMBER_DIGITS + "}") || Integer.parseInt(text) < least
                || Integer.parseInt(text) > most) {
            throw new IllegalArgumentException(what + " \"" + text + "\" is not a number from " + least + " to " + most);
        }
        return Integer.parseInt(text);
    }
}
