// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.shell.internal;

import com.fasterxml.jackson.core.JsonGenerator;
import io.flowbypass.xdp.Attachment;
import io.flowbypass.xdp.Attachments;
import io.flowbypass.xdp.DataPlane;
import io.flowbypass.xdp.Verdict;
import io.flowbypass.xdp.VerdictCounts;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.apache.felix.service.command.Descriptor;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** What a person does with the XDP program. Thread-safe. */
@Component(service = XdpCommands.class, property = {"osgi.command.scope=xdp", "osgi.command.function=status",
        "osgi.command.function=attach", "osgi.command.function=detach", "osgi.command.function=pause",
        "osgi.command.function=resume"})
public final class XdpCommands extends Commands {
    private final DataPlane dataPlane;

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    private volatile ConfigurationAdmin configurationAdmin;

    /** For this data plane. */
    @Activate
    public XdpCommands(@Reference DataPlane dataPlane) {
        super("xdp");
        this.dataPlane = dataPlane;
    }

    /** Shows interfaces and verdicts. */
    @Descriptor("Shows the interfaces that XDP runs on, the lease, and how many packets got which verdict.")
    public void status(@Descriptor("[--json]") String... typed) {
        run("status", typed, arguments -> {
            List<Attachment> interfaces = dataPlane.attachments();
            Map<Verdict, VerdictCounts> verdicts = dataPlane.verdicts();
            if (arguments.has(JSON)) {
                json(json -> write(json, interfaces, verdicts));
                return;
            }
            interfaces.forEach(each -> say(each.interfaceName() + ": " + (each.attached() ? "attached, " : "not attached, ")
                    + each.mode() + " mode" + (each.attached() ? ", program " + each.programId() : "")
                    + (each.problem().isEmpty() ? "" : "; " + each.problem())));
            if (interfaces.isEmpty()) {
                say("no interface is attached: xdp:attach INTERFACE");
            }
            say("lease: last sign of life " + dataPlane.leaseAgeMillis() + " ms ago, over after " + dataPlane.leaseSeconds()
                    + " s" + (dataPlane.paused() ? "; paused: every packet is passed until xdp:resume" : ""));
            say("%-20s %16s %20s".formatted("VERDICT", "PACKETS", "BYTES"));
            verdicts.forEach((verdict, counts) -> {
                if (counts.packets() > 0) {
                    say("%-20s %16d %20d".formatted(verdict, counts.packets(), counts.bytes()));
                }
            });
        });
    }

    private void write(JsonGenerator json, List<Attachment> interfaces, Map<Verdict, VerdictCounts> verdicts)
            throws IOException {
        json.writeStartObject();
        json.writeArrayFieldStart("interfaces");
        for (Attachment each : interfaces) {
            json.writeStartObject();
            json.writeStringField("name", each.interfaceName());
            json.writeStringField("mode", each.mode());
            json.writeBooleanField("attached", each.attached());
            json.writeNumberField("program", each.programId());
            json.writeStringField("tag", each.programTag());
            Flows.text(json, "problem", each.problem());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeBooleanField("paused", dataPlane.paused());
        json.writeNumberField("lease_age_ms", dataPlane.leaseAgeMillis());
        json.writeNumberField("lease_seconds", dataPlane.leaseSeconds());
        json.writeObjectFieldStart("verdicts");
        for (Map.Entry<Verdict, VerdictCounts> each : verdicts.entrySet()) {
            json.writeObjectFieldStart(each.getKey().name());
            json.writeNumberField("packets", each.getValue().packets());
            json.writeNumberField("bytes", each.getValue().bytes());
            json.writeEndObject();
        }
        json.writeEndObject();
        json.writeEndObject();
    }

    /** Attaches. */
    @Descriptor("Attaches XDP to a network interface, natively where its driver can, until xdp:detach. Karaf attaches it"
            + " again at each start, ./flowbypass run only what its -i names.")
    public void attach(@Descriptor("INTERFACE [--mode native|generic] [--json]") String... typed) {
        run("attach", typed, arguments -> done(arguments, new Attachments(configurationAdmin, dataPlane)
                .attach(arguments.word(0), arguments.has("--mode") ? arguments.value("--mode") : "")));
    }

    /** Detaches. */
    @Descriptor("Detaches XDP from a network interface, and takes it out of the configuration.")
    public void detach(@Descriptor("INTERFACE [--json]") String... typed) {
        run("detach", typed, arguments -> done(arguments,
                new Attachments(configurationAdmin, dataPlane).detach(arguments.word(0))));
    }

    /** Pauses. */
    @Descriptor("Lets XDP pass every packet, also those of bypassed flows, until xdp:resume.")
    public void pause(@Descriptor("[--json]") String... typed) {
        run("pause", typed, arguments -> {
            dataPlane.setPaused(true);
            done(arguments, "paused: every packet is passed until xdp:resume");
        });
    }

    /** Resumes. */
    @Descriptor("Lets XDP cut again after xdp:pause.")
    public void resume(@Descriptor("[--json]") String... typed) {
        run("resume", typed, arguments -> {
            dataPlane.setPaused(false);
            done(arguments, "resumed: packets of bypassed flows are cut");
        });
    }
}
