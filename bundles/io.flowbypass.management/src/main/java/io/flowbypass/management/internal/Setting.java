// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One attribute of a configuration, as Metatype describes it. Immutable.
 *
 * @param id key in the configuration
 * @param type type of a value
 * @param array whether it has several values
 * @param description a sentence; possibly empty
 * @param defaultText the value where none is configured; null for none
 * @param min smallest number or shortest text; null for none
 * @param max largest number or longest text; null for none
 * @param options the only values allowed; empty for any
 */
record Setting(String id, Type type, boolean array, String description, String defaultText, BigDecimal min,
        BigDecimal max, List<String> options) {
    private static final Set<String> UNITS = Set.of("nanos", "micros", "millis", "seconds", "minutes", "hours", "days",
            "bytes", "packets", "flows", "percent");

    /** The types of Metatype. */
    enum Type {
        STRING(String.class, text -> text),
        PASSWORD(String.class, text -> text),
        LONG(Long.class, Long::valueOf),
        INTEGER(Integer.class, Integer::valueOf),
        SHORT(Short.class, Short::valueOf),
        BYTE(Byte.class, Byte::valueOf),
        DOUBLE(Double.class, Double::valueOf),
        FLOAT(Float.class, Float::valueOf),
        CHARACTER(Character.class, Type::character),
        BOOLEAN(Boolean.class, Type::bool);

        private final Class<?> javaType;
        private final Function<String, Object> parser;

        Type(Class<?> javaType, Function<String, Object> parser) {
            this.javaType = javaType;
            this.parser = parser;
        }

        /** The type of a value in JMX. */
        Class<?> javaType() {
            return javaType;
        }

        boolean isText() {
            return javaType == String.class;
        }

        boolean isNumber() {
            return Number.class.isAssignableFrom(javaType);
        }

        private static Character character(String text) {
            if (text.length() != 1) {
                throw new IllegalArgumentException("not one character");
            }
            return text.charAt(0);
        }

        /** Stricter than {@link Boolean#valueOf}, which takes a typing error for false. */
        private static Boolean bool(String text) {
            if (text.equalsIgnoreCase("true") || text.equalsIgnoreCase("false")) {
                return Boolean.valueOf(text);
            }
            throw new IllegalArgumentException("neither true nor false");
        }
    }

    /** Name in JMX: {@code tcp.seconds} becomes {@code TcpSeconds}. */
    String attribute() {
        return attribute(id);
    }

    static String attribute(String id) {
        return Stream.of(id.split("[^\\p{Alnum}]+")).filter(part -> !part.isEmpty())
                .map(part -> Character.toUpperCase(part.charAt(0)) + part.substring(1)).collect(Collectors.joining());
    }

    /** Unit of the value: the last segment of the id where that is one, otherwise empty. */
    String unit() {
        return unit(id);
    }

    static String unit(String id) {
        String last = id.substring(id.lastIndexOf('.') + 1);
        return UNITS.contains(last) ? last : "";
    }

    /** A password, or a private key that no service shows. */
    boolean isReadable() {
        return type != Type.PASSWORD && !id.startsWith(".");
    }

    /** Only single values: JConsole cannot edit arrays. */
    boolean isWritable() {
        return !array;
    }

    /**
     * The value that a text stands for.
     *
     * @throws IllegalArgumentException when it is not allowed; the message says what is
     */
    Object parse(String text) {
        Object value;
        try {
            value = type.parser.apply(type.isText() ? text : text.strip());
        } catch (IllegalArgumentException e) {
            throw refused(text, "is no " + type.name().toLowerCase(Locale.ROOT), e);
        }
        if (!options.isEmpty() && !options.contains(text)) {
            throw refused(text, "is not allowed", null);
        }
        if (type.isText() || type.isNumber()) {
            checkBounds(text, value);
        }
        return value;
    }

    /** Whether {@link #parse} takes this text. */
    boolean allows(String text) {
        try {
            parse(text);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private void checkBounds(String text, Object value) {
        BigDecimal size;
        try {
            size = type.isText() ? BigDecimal.valueOf(text.length()) : new BigDecimal(value.toString());
        } catch (NumberFormatException e) { // NaN and the infinities
            throw refused(text, "is no number", e);
        }
        if (min != null && size.compareTo(min) < 0 || max != null && size.compareTo(max) > 0) {
            throw refused(text, "is out of range", null);
        }
    }

    private IllegalArgumentException refused(String text, String why, Throwable cause) {
        String shown = type == Type.PASSWORD ? "..." : text;
        return new IllegalArgumentException(id + " = " + shown + " " + why + ": allowed is " + allowed(), cause);
    }

    /** What values are allowed, in words: {@code 1 to 604800 seconds}. */
    String allowed() {
        if (!options.isEmpty()) {
            return String.join(", ", options);
        }
        String what = type.isText() ? "characters" : unit();
        String range = min != null && max != null ? min + " to " + max
                : min != null ? "at least " + min : max != null ? "at most " + max : "";
        if (range.isEmpty()) {
            return switch (type) {
                case BOOLEAN -> "true or false";
                case STRING, PASSWORD -> "any text";
                case CHARACTER -> "one character";
                default -> "any " + type.name().toLowerCase(Locale.ROOT) + (what.isEmpty() ? "" : " of " + what);
            };
        }
        return what.isEmpty() ? range : range + " " + what;
    }

    /** Description, bounds and default in one text. */
    String fullDescription() {
        String standard = defaultText == null || type == Type.PASSWORD ? "" : "; default " + (defaultText.isEmpty()
                ? "empty" : defaultText);
        return (description.isEmpty() ? id : description) + " (" + id + ": " + allowed() + standard + ")";
    }

    /** A value of a service or a configuration as text, several separated by commas. */
    static String text(Object value) {
        if (value instanceof Collection<?> several) {
            return several.stream().map(String::valueOf).collect(Collectors.joining(","));
        }
        if (value instanceof Object[] several) {
            return text(Arrays.asList(several));
        }
        return String.valueOf(value);
    }
}
