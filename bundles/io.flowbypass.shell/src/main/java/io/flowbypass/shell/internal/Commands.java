// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.shell.internal;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.StreamWriteFeature;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Method;
import java.util.Arrays;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;

/**
 * The commands of one scope: each is a public method with a {@link Descriptor} that says what it does, whose last
 * parameter has one that is its usage. What they print goes to {@code System.out}, which the shell leads to the person, or
 * into a pipe.
 */
abstract class Commands {
    static final String JSON = "--json";

    private static final String HELP = "--help";
    private static final JsonFactory FACTORY =
            JsonFactory.builder().disable(StreamWriteFeature.AUTO_CLOSE_TARGET).build();

    private final String scope;

    Commands(String scope) {
        this.scope = scope;
    }

    /** What a command does with what was typed. */
    interface Body {
        void run(Arguments arguments) throws IOException;
    }

    /** Writes one value. */
    interface Value {
        void to(JsonGenerator json) throws IOException;
    }

    /**
     * Carries a command out, or says how it is used.
     *
     * @throws IllegalArgumentException for what cannot be understood
     */
    final void run(String name, String[] typed, Body body) {
        Method method = Arrays.stream(getClass().getMethods()).filter(each -> each.getName().equals(name)
                && each.isAnnotationPresent(Descriptor.class)).findFirst().orElseThrow();
        String usage = method.getParameters()[method.getParameterCount() - 1].getAnnotation(Descriptor.class).value();
        if (Arrays.asList(typed).contains(HELP)) {
            say(method.getAnnotation(Descriptor.class).value());
            say("usage: " + (scope + ":" + name + " " + usage).strip());
            return;
        }
        try {
            body.run(new Arguments(scope + ":" + name, usage, typed));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static void say(String line) {
        System.out.println(line);
    }

    /** Prints a value in a line. */
    static void json(Value value) throws IOException {
        try (JsonGenerator json = FACTORY.createGenerator(System.out)) {
            value.to(json);
        }
        System.out.println();
    }

    /** Prints what was done, as a sentence or as the only field of an object. */
    static void done(Arguments arguments, String sentence) throws IOException {
        if (!arguments.has(JSON)) {
            say(sentence);
            return;
        }
        json(json -> {
            json.writeStartObject();
            json.writeStringField("message", sentence);
            json.writeEndObject();
        });
    }

    static void strings(JsonGenerator json, String name, Iterable<String> values) throws IOException {
        json.writeArrayFieldStart(name);
        for (String value : values) {
            json.writeString(value);
        }
        json.writeEndArray();
    }

    /** Whether the person wants a command that goes on to end: pressed a key, or Ctrl-C. */
    static boolean isEndAsked(CommandSession session, long waitMillis) throws IOException {
        try {
            long left = waitMillis;
            while (left > 0 && session.getKeyboard().available() == 0) {
                long step = Math.min(left, 50);
                Thread.sleep(step);
                left -= step;
            }
            return session.getKeyboard().available() > 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }
}
