// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.Bpf.XdpMode;
import io.flowbypass.libbpf.BpfException;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.libbpf.Host;
import io.flowbypass.libbpf.LinkDescription;
import io.flowbypass.libbpf.NetworkOffloads;
import io.flowbypass.xdp.Attachment;
import io.flowbypass.xdp.DataPlane;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.ComponentConstants;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.osgi.service.metatype.annotations.Option;

/**
 * Attaches the program to one interface, and takes it off only when its configuration is deleted. Where that does not work
 * it stays active and says why, in the log and in {@link DataPlane#attachments()}.
 */
@Component(service = {}, immediate = true, configurationPid = DataPlane.INTERFACE_PID,
        configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = XdpInterface.Config.class, factory = true)
public final class XdpInterface {
    /** Configuration. */
    @ObjectClassDefinition(name = "Flowbypass XDP interface",
            description = "An interface on which XDP cuts. Deleting this configuration takes the program off.")
    public @interface Config {
        /** Its name. */
        @AttributeDefinition(name = "Interface", description = "The name of the network interface, one that gets copies of"
                + " the traffic from a tap or a mirror port.")
        String $interface();

        /** Where XDP runs. */
        @AttributeDefinition(name = "Mode", description = "Where XDP runs: native is in the driver, generic is behind it,"
                + " slower and only with GRO off, auto is native where the driver can and generic elsewhere.",
                options = {@Option(label = "auto", value = "auto"), @Option(label = "native", value = "native"),
                    @Option(label = "generic", value = "generic")})
        String mode() default "auto";

        /** Whether to insist. */
        @AttributeDefinition(name = "Inline anyway", description = "Whether to attach to an interface that has a global"
                + " address or a default route, where XDP can cut this machine's own connections.")
        boolean inline_anyway() default false;

        /** Whether to take another program's place. */
        @AttributeDefinition(name = "Replace another", description = "Whether another XDP program on the interface is taken"
                + " off for good when this configuration is made or changed, and at a start. Between the two programs there is"
                + " a moment without one. One that a BPF link attaches cannot be taken off.")
        boolean replace_other() default false;
    }

    private static final Logger LOG = System.getLogger(XdpInterface.class.getName());
    private static final String AUTO = "auto";
    private static final List<String> MODES = List.of(AUTO, Link.NATIVE, Link.GENERIC);
    /** Errors by which a driver says that it has no XDP, or not with these settings. */
    private static final List<String> DRIVER_REFUSES = List.of("EOPNOTSUPP", "ENOTSUPP", "EINVAL", "ERANGE", "ENOMEM");
    /** Property of a configuration that came from a file: its URL. */
    private static final String FILE = "felix.fileinstall.filename";

    private final BundleContext context;
    private final NativeDataPlane dataPlane;
    /** Whether whoever started the framework asks for it, and wants to know whether it works. */
    private final boolean asked;
    private Config config;
    private String name;
    private Link link;
    /** Why it is not attached, or not as configured; empty when it is. */
    private String problem;

    /** Called by the framework. */
    @Activate
    public XdpInterface(BundleContext context, @Reference NativeDataPlane dataPlane, Config config,
            Map<String, Object> properties) {
        this.context = context;
        this.dataPlane = dataPlane;
        this.asked = FailureFile.isBeside(context, properties.get(FILE));
        configure(config);
        dataPlane.add(this);
    }

    @Modified
    synchronized void modified(Config changed) {
        if (!name.equals(nameIn(changed))) {
            detach();
        }
        configure(changed);
    }

    @Deactivate
    synchronized void deactivate(int reason) {
        if (reason == ComponentConstants.DEACTIVATION_REASON_CONFIGURATION_DELETED) {
            detach();
        }
        dataPlane.remove(this);
    }

    /** What became of the configuration, as the kernel sees it now. */
    synchronized Attachment describe() {
        try {
            return look();
        } catch (BpfException refused) {
            return NativeDataPlane.unknown(name, refused);
        }
    }

    private Attachment look() {
        if (!dataPlane.owns(name, this)) {
            return notAttached(problem);
        }
        Optional<LinkDescription> found = link.describe();
        OptionalInt index = Host.interfaceIndex(name);
        if (found.isPresent() && index.isPresent() && found.get().interfaceIndex() == index.getAsInt()) {
            return dataPlane.attached(name, found.get(), problem);
        }
        if (!problem.isEmpty()) {
            return notAttached(problem);
        }
        return notAttached(found.isEmpty()
                ? "The pin " + link.pin() + " was removed, which took XDP off the interface."
                : "The interface that XDP was attached to is gone or has another name. Once " + name
                        + " is back, delete this configuration and make it again.");
    }

    private void configure(Config wanted) {
        config = wanted;
        name = nameIn(wanted);
        link = new Link(dataPlane.pins().link(name));
        dataPlane.attaching().lock();
        try {
            problem = settle(config.replace_other());
            if (asked) {
                FailureFile.works(context);
            }
        } catch (Refusal | RuntimeException refused) {
            problem = refused.getMessage();
            String sentence = (describe().attached() ? "XDP runs on " + name + ", but not as configured. "
                    : "XDP is not attached to " + name + ". ") + problem;
            if (!asked || !FailureFile.write(context, sentence)) {
                LOG.log(Level.ERROR, sentence);
            }
            LOG.log(Level.DEBUG, "where it failed", refused);
        } finally {
            dataPlane.attaching().unlock();
        }
    }

    /**
     * Attaches, or adopts what is attached; returns what is wrong though XDP runs, empty when nothing is.
     *
     * @param replace whether another program may be taken off for it
     */
    private String settle(boolean replace) throws Refusal {
        int index = InterfaceRules.index(name);
        if (!dataPlane.claim(name, this)) {
            throw new Refusal("Another configuration attaches to " + name + " already: delete one of the two.");
        }
        String mode = config.mode();
        if (!MODES.contains(mode)) {
            throw new Refusal("mode is \"" + mode + "\": it must be one of " + String.join(", ", MODES) + ".");
        }
        Optional<LinkDescription> found = link.describe().filter(each -> each.interfaceIndex() == index);
        String present = "";
        if (found.isPresent()) {
            present = Link.modeOf(found.get());
            if (mode.equals(AUTO) || mode.equals(present)) {
                link.runOneOf(dataPlane.programs().stream().map(Descriptor::number).toList());
                LOG.log(Level.INFO, "XDP still runs on {0}, {1} mode.", name, present);
                return adopted(present);
            }
        }
        InterfaceRules.check(name, mode, config.inline_anyway(), dataPlane.tracksVlans());
        link.remove();
        Optional<OtherProgram> other = replace ? OtherProgram.on(index) : Optional.empty();
        try {
            if (other.isPresent()) {
                other.get().replace(name, index, () -> attach(index, mode));
                LOG.log(Level.WARNING, "Another XDP program, {0}, was taken off {1} for it.", other.get(), name);
            } else {
                attach(index, mode);
            }
        } catch (Refusal | RuntimeException refused) {
            if (!present.isEmpty()) {
                restore(index, present, refused);
            }
            throw refused;
        }
        return "";
    }

    /** XDP is not taken off for what has changed meanwhile: that would be worse. */
    private String adopted(String mode) {
        try {
            InterfaceRules.checkOffloads(name, NetworkOffloads.of(name), mode, dataPlane.tracksVlans());
            return "";
        } catch (Refusal refused) {
            LOG.log(Level.ERROR, "XDP runs on {0}, but not as configured. {1}", name, refused.getMessage());
            return refused.getMessage();
        }
    }

    private void restore(int index, String mode, Exception refused) {
        try {
            attach(index, mode);
        } catch (Refusal | RuntimeException again) {
            refused.addSuppressed(again);
        }
    }

    private void attach(int index, String mode) throws Refusal {
        if (!mode.equals(Link.GENERIC)) {
            try {
                attachNatively(index);
                return;
            } catch (BpfException refused) {
                if (mode.equals(Link.NATIVE) || !DRIVER_REFUSES.contains(refused.error())) {
                    throw explained(refused, index, mode);
                }
                LOG.log(Level.INFO, "The driver of {0} refuses XDP with {1}: generic mode is tried.", name, refused.error());
                InterfaceRules.checkOffloads(name, NetworkOffloads.of(name), Link.GENERIC, dataPlane.tracksVlans());
            }
        }
        try {
            attach(dataPlane.programs().get(0), index, XdpMode.GENERIC);
        } catch (BpfException refused) {
            throw explained(refused, index, Link.GENERIC);
        }
    }

    /** With the program for packets in one buffer, or where the driver refuses that for its MTU, the one for several. */
    private void attachNatively(int index) {
        List<Descriptor> programs = dataPlane.programs();
        try {
            attach(programs.get(0), index, XdpMode.NATIVE);
        } catch (BpfException refused) {
            if (programs.size() == 1 || !DRIVER_REFUSES.contains(refused.error())) {
                throw refused;
            }
            try {
                attach(programs.get(1), index, XdpMode.NATIVE);
                LOG.log(Level.INFO, "Its packets may come in several buffers.");
            } catch (BpfException again) {
                throw refused;
            }
        }
    }

    private void attach(Descriptor program, int index, XdpMode mode) {
        program.run(number -> link.attach(number, index, mode));
        LOG.log(Level.INFO, "XDP runs on {0}, {1} mode.", name, mode == XdpMode.NATIVE ? Link.NATIVE : Link.GENERIC);
    }

    private Refusal explained(BpfException refused, int index, String mode) {
        if (refused.is("EBUSY") || refused.is("EEXIST")) {
            return new Refusal("Another XDP program" + OtherProgram.on(index).map(other -> ", " + other + ",")
                    .orElse("") + " is on " + name + ": detach it first (bpftool net and bpftool prog show it), or let it be"
                    + " replaced with replace.other = true (./flowbypass run --replace-other).", refused);
        }
        if (!mode.equals(Link.GENERIC) && DRIVER_REFUSES.contains(refused.error())) {
            return new Refusal("The driver of " + name + " refuses XDP with " + refused.error() + ": set mode = generic, or"
                    + " find the reason in the kernel log (dmesg), often a large MTU (ip link set " + name + " mtu 1500),"
                    + " hardware that merges packets (ethtool -K " + name + " rx-gro-hw off) or too few queues (ethtool -L "
                    + name + " combined NUMBER).", refused);
        }
        return new Refusal(refused.getMessage(), refused);
    }

    /** Takes XDP off the interface, when it is this configuration's. */
    private void detach() {
        if (dataPlane.owns(name, this)) {
            try {
                if (link.remove()) {
                    LOG.log(Level.INFO, "XDP was taken off {0}.", name);
                }
            } catch (Refusal | BpfException refused) {
                LOG.log(Level.ERROR, refused.getMessage(), refused);
            }
            dataPlane.disclaim(name, this);
        }
    }

    private Attachment notAttached(String why) {
        return new Attachment(name, config.mode(), 0, "", false, why);
    }

    private static String nameIn(Config config) {
        return config.$interface() == null ? "" : config.$interface().strip();
    }
}
