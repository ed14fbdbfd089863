// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.shell.internal;

import com.fasterxml.jackson.core.JsonGenerator;
import io.flowbypass.expiry.Expiry;
import io.flowbypass.flow.Difference;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** What a person does with expiry policies. Thread-safe. */
@Component(service = PolicyCommands.class, property = {"osgi.command.scope=policy", "osgi.command.function=list",
        "osgi.command.function=select", "osgi.command.function=compare"})
public final class PolicyCommands extends Commands {
    private static final int DIFFERENCES = 100;
    private static final String ALL = "--all";

    private final Expiry expiry;

    /** For this engine. */
    @Activate
    public PolicyCommands(@Reference Expiry expiry) {
        super("policy");
        this.expiry = expiry;
    }

    /** With blanks or commas between them. */
    private static List<String> names(Arguments arguments) {
        return Stream.of(String.join(" ", arguments.words()).split("[,\\s]+")).filter(name -> !name.isEmpty()).toList();
    }

    /** Lists policies. */
    @Descriptor("Lists the expiry policies: those that are asked, in their order, and the others.")
    public void list(@Descriptor("[--json]") String... typed) {
        run("list", typed, arguments -> {
            List<String> active = expiry.activePolicies();
            List<String> quarantined = expiry.quarantinedPolicies();
            if (arguments.has(JSON)) {
                json(json -> {
                    json.writeStartObject();
                    strings(json, "active", active);
                    strings(json, "available", expiry.availablePolicies());
                    strings(json, "quarantined", quarantined);
                    json.writeEndObject();
                });
                return;
            }
            Set<String> others = new LinkedHashSet<>(expiry.availablePolicies());
            others.removeAll(active);
            for (int i = 0; i < active.size(); i++) {
                say(i + 1 + "  " + active.get(i));
            }
            others.forEach(name -> say("-  " + name
                    + (quarantined.contains(name) ? " (quarantined: it failed too often)" : "")));
        });
    }

    /** Selects policies. */
    @Descriptor("Selects the policies that are asked, in this order, or --all by their ranking; kept in the configuration,"
            + " in Felix while io.flowbypass.management runs.")
    public void select(@Descriptor("[NAME...] [--all] [--json]") String... typed) {
        run("select", typed, arguments -> {
            List<String> names = names(arguments);
            if (names.isEmpty() != arguments.has(ALL)) {
                throw new IllegalArgumentException("name policies, or write --all");
            }
            expiry.selectPolicies(names);
            done(arguments, "asked are now " + String.join(", ", expiry.activePolicies()));
        });
    }

    /** Compares policies. */
    @Descriptor("Says which flows these policies would end, or keep, unlike those that are asked; ends none. Shows 100"
            + " flows, or --limit.")
    public void compare(@Descriptor("NAME... [--limit N] [--json]") String... typed) {
        run("compare", typed, arguments -> {
            int limit = arguments.number("--limit", 1, Selection.MOST, DIFFERENCES);
            List<Difference> differences = expiry.compare(names(arguments), limit);
            if (arguments.has(JSON)) {
                json(json -> write(json, differences));
                return;
            }
            differences.forEach(difference -> say(difference.describe()));
            say(differences.size() == limit ? limit + " differences are shown, there may be more: --limit"
                    : differences.size() + (differences.size() == 1 ? " difference" : " differences"));
        });
    }

    private static void write(JsonGenerator json, List<Difference> differences) throws IOException {
        json.writeStartArray();
        for (Difference difference : differences) {
            Map<String, Object> fields = difference.flow().fields();
            fields.put("active", difference.active().toString());
            fields.put("other", difference.other().toString());
            Flows.write(json, fields);
        }
        json.writeEndArray();
    }
}
