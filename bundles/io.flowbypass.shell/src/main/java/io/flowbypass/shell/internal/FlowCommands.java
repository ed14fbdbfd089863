// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.shell.internal;

import com.fasterxml.jackson.core.JsonGenerator;
import io.flowbypass.flow.BypassOptions;
import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowState;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.flow.Protocols;
import io.flowbypass.flow.TableStatistics;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** What a person does with flows. Thread-safe. */
@Component(service = FlowCommands.class, property = {"osgi.command.scope=flow", "osgi.command.function=bypass",
        "osgi.command.function=release", "osgi.command.function=find", "osgi.command.function=list",
        "osgi.command.function=top", "osgi.command.function=flush"})
public final class FlowCommands extends Commands {
    private static final String KEY = "PROTOCOL SOURCE SOURCE-PORT DESTINATION DESTINATION-PORT";
    private static final String ASKER = "shell";
    private static final int MAX_PORT = 65535;
    private static final int PAGE = 20;
    private static final int MAX_COUNT = 1_000_000;
    private static final long REFRESH_MILLIS = 1000;
    private static final double NANOS = 1e9;
    private static final String CLEAR = "\033[H\033[2J";

    private final FlowTable table;

    /** For this table. */
    @Activate
    public FlowCommands(@Reference FlowTable table) {
        super("flow");
        this.table = table;
    }

    private static FlowKey key(List<String> words) {
        return FlowKey.of(Protocols.parse(words.get(0)), words.get(1),
                Arguments.number("source port", words.get(2), 0, MAX_PORT), words.get(3),
                Arguments.number("destination port", words.get(4), 0, MAX_PORT));
    }

    /** The words behind the key. */
    private static String options(List<String> words) {
        return String.join(" ", words.subList(KEY.split(" ").length, words.size()));
    }

    private static FlowKey keyWithVlans(Arguments arguments) {
        return BypassOptions.ofKey(options(arguments.words())).key(key(arguments.words()));
    }

    /** Bypasses a flow. */
    @Descriptor("Bypasses a flow: its packets are cut in both directions. Words: drop, count or redirect=N; hostPair (all of"
            + " a protocol without ports between two addresses, the ports are 0); passControl=false; vlan=OUTER or"
            + " vlan=OUTER,INNER. For example: flow:bypass TCP 192.0.2.1 40000 198.51.100.7 443")
    public void bypass(@Descriptor(KEY + " [WORD...] [--json]") String... typed) {
        run("bypass", typed, arguments -> {
            BypassRequest request = BypassOptions.of(options(arguments.words())).request(key(arguments.words()))
                    .withAsker(ASKER);
            done(arguments, (table.bypass(request) ? "bypassed " : "already bypassed: ") + request.key());
        });
    }

    /** Releases a flow. */
    @Descriptor("Takes a flow out of the bypass, and shows its record. Words: vlan=OUTER or vlan=OUTER,INNER")
    public void release(@Descriptor(KEY + " [WORD...] [--json]") String... typed) {
        run("release", typed, arguments -> {
            FlowKey key = keyWithVlans(arguments);
            Optional<FlowRecord> record = table.releaseAndWait(key);
            if (arguments.has(JSON) && record.isPresent()) {
                json(json -> Flows.write(json, record.get().fields()));
            } else {
                done(arguments, record.map(FlowRecord::describe).orElse("not bypassed: " + key));
            }
        });
    }

    /** Shows a flow. */
    @Descriptor("Shows a flow, if it is bypassed. Words: vlan=OUTER or vlan=OUTER,INNER")
    public void find(@Descriptor(KEY + " [WORD...] [--json]") String... typed) {
        run("find", typed, arguments -> {
            FlowKey key = keyWithVlans(arguments);
            Optional<FlowState> flow = table.find(key);
            if (arguments.has(JSON) && flow.isPresent()) {
                json(json -> Flows.write(json, flow.get().fields()));
            } else {
                done(arguments, flow.map(FlowState::describe).orElse("not bypassed: " + key));
            }
        });
    }

    /** Lists flows. */
    @Descriptor("Lists bypassed flows, 20 or --limit of them. Without --sort they are in the table's order, which is the"
            + " fastest; a sorted list ends at flow 10000. For example: flow:list --sort bytes --protocol tcp --port 443")
    public void list(@Descriptor("[--limit N] [--offset N] " + Selection.USAGE + " [--json]") String... typed) {
        run("list", typed, arguments -> {
            Selection selection = Selection.of(arguments, null, PAGE);
            Selection.Page page = selection.from(table);
            if (arguments.has(JSON)) {
                json(json -> write(json, page.flows()));
                return;
            }
            show(page.flows());
            if (page.more()) {
                int next = selection.offset() + selection.limit();
                say("flows " + (selection.offset() + 1) + " to " + next + "; there are more: --offset " + next);
            }
        });
    }

    private static void show(List<FlowState> flows) {
        Instant now = Instant.now();
        say(Flows.header());
        flows.forEach(flow -> say(Flows.row(flow, now)));
    }

    private static void write(JsonGenerator json, List<FlowState> flows) throws IOException {
        json.writeStartArray();
        for (FlowState flow : flows) {
            Flows.write(json, flow.fields());
        }
        json.writeEndArray();
    }

    /** Shows the largest flows again and again. */
    @Descriptor("Shows the flows of which most was cut, and how much is cut now, every second until a key or Ctrl-C, or"
            + " --count times. With --json, or --count, the screen is not cleared.")
    public void top(CommandSession session,
            @Descriptor("[--limit N] [--count N] " + Selection.USAGE + " [--json]") String... typed) {
        run("top", typed, arguments -> {
            Selection selection = Selection.of(arguments, "bytes", PAGE);
            int count = arguments.number("--count", 1, MAX_COUNT, 0);
            boolean clears = count == 0 && !arguments.has(JSON);
            TableStatistics before = table.statistics();
            long then = System.nanoTime();
            for (int shown = 0; (count == 0 || shown < count) && !isEndAsked(session, REFRESH_MILLIS)
                    && !System.out.checkError(); shown++) {
                TableStatistics now = table.statistics();
                long time = System.nanoTime();
                Top top = new Top(now, (now.bypassedPackets() - before.bypassedPackets()) * NANOS / (time - then),
                        (now.bypassedBytes() - before.bypassedBytes()) * Byte.SIZE * NANOS / (time - then),
                        selection.from(table).flows());
                if (arguments.has(JSON)) {
                    json(top::write);
                } else {
                    System.out.print(clears ? CLEAR : "");
                    say(top.summary());
                    show(top.flows);
                }
                before = now;
                then = time;
            }
        });
    }

    /** What is shown at once. */
    private record Top(TableStatistics table, double packetsPerSecond, double bitsPerSecond, List<FlowState> flows) {
        String summary() {
            return "%d of %d flows, %.0f packets/s and %.3f Mbit/s cut".formatted(table.activeFlows(), table.capacity(),
                    packetsPerSecond, bitsPerSecond / 1e6);
        }

        void write(JsonGenerator json) throws IOException {
            json.writeStartObject();
            json.writeNumberField("active_flows", table.activeFlows());
            json.writeNumberField("capacity", table.capacity());
            json.writeNumberField("pkts_per_second", Math.round(packetsPerSecond));
            json.writeNumberField("bits_per_second", Math.round(bitsPerSecond));
            json.writeFieldName("flows");
            FlowCommands.write(json, flows);
            json.writeEndObject();
        }
    }

    /** Takes all flows out. */
    @Descriptor("Takes all flows out of the bypass.")
    public void flush(@Descriptor("[--json]") String... typed) {
        run("flush", typed, arguments -> {
            int flows = table.flush();
            done(arguments, "took " + flows + (flows == 1 ? " flow" : " flows") + " out of the bypass");
        });
    }
}
