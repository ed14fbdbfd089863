// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.shell.internal;

import io.flowbypass.flow.NeverCutList;
import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** What a person does with the never-cut list. Thread-safe. */
@Component(service = NeverCutCommands.class, property = {"osgi.command.scope=never-cut", "osgi.command.function=add",
        "osgi.command.function=remove", "osgi.command.function=list"})
public final class NeverCutCommands extends Commands {
    private final NeverCutList list;

    /** For this list. */
    @Activate
    public NeverCutCommands(@Reference NeverCutList list) {
        super("never-cut");
        this.list = list;
    }

    private static String entry(Arguments arguments) {
        return String.join(" ", arguments.words());
    }

    /** Adds an entry. */
    @Descriptor("Adds to what is never cut, whoever asks, and ends the bypass of what that names; kept in the configuration,"
            + " in Felix while io.flowbypass.management runs."
            + " For example: never-cut:add 192.0.2.0/24 tcp/22")
    public void add(@Descriptor("PREFIX [PROTOCOL[/PORT]] [--json]") String... typed) {
        run("add", typed, arguments -> done(arguments,
                entry(arguments) + (list.add(entry(arguments)) ? " is never cut from now on" : " is on the list already")));
    }

    /** Removes an entry. */
    @Descriptor("Takes an entry off the list of what is never cut; kept in the configuration,"
            + " in Felix while io.flowbypass.management runs.")
    public void remove(@Descriptor("PREFIX [PROTOCOL[/PORT]] [--json]") String... typed) {
        run("remove", typed, arguments -> done(arguments,
                entry(arguments) + (list.remove(entry(arguments)) ? " may be cut from now on" : " is not on the list")));
    }

    /** Lists entries. */
    @Descriptor("Lists what is never cut, this machine's own addresses included.")
    public void list(@Descriptor("[--json]") String... typed) {
        run("list", typed, arguments -> {
            if (arguments.has(JSON)) {
                json(json -> {
                    json.writeStartObject();
                    strings(json, "entries", list.entries());
                    strings(json, "own_addresses", list.ownAddresses());
                    json.writeEndObject();
                });
                return;
            }
            list.entries().forEach(Commands::say);
            list.ownAddresses().forEach(address -> say(address + " (this machine's own)"));
        });
    }
}
