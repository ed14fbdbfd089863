// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.Bpf.XdpMode;
import io.flowbypass.libbpf.BpfException;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.libbpf.Host;
import io.flowbypass.libbpf.LinkDescription;
import io.flowbypass.libbpf.NetworkOffloads;
import io.flowbypass.libbpf.XdpPrograms;
import io.flowbypass.xdp.Attachment;
import io.flowbypass.xdp.DataPlane;
import io.flowbypass.xdp.XdpListener;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
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
 * it stays active and says why, in the log and in {@link DataPlane#attachments()}. Where XDP is off by other hands, or its
 * interface is made later, it is attached by itself.
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
                + " a moment without one. One that a BPF link attaches cannot be taken off. What takes the interface while"
                + " XDP is off is never replaced.")
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
    /** Index of the interface on which it ran when it was looked at last; 0 when it did not. */
    private int ranOn;
    /** Why it does not run any more, in a sentence; empty when it does, or never did. */
    private String lost;
    /** In which it was refused; null when it was not. */
    private Situation refusedIn;
    private boolean ended;

    /** What it depends on whether the program can be attached, as far as that may change by itself. */
    private record Situation(int index, int linkedIndex, XdpPrograms programs, NetworkOffloads offloads) {
    }

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
        ended = true;
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
        Optional<LinkDescription> running = running();
        if (running.isPresent()) {
            return dataPlane.attached(name, running.get(), problem);
        }
        return notAttached(ranOn == 0 ? problem : whyItIsOff(index()));
    }

    /** The link, where XDP runs on the interface by it. */
    private Optional<LinkDescription> running() {
        int index = index();
        return index == 0 || !dataPlane.owns(name, this) ? Optional.empty()
                : link.describe().filter(found -> found.interfaceIndex() == index);
    }

    /** Of the interface; 0 when there is none of that name. */
    private int index() {
        return Host.interfaceIndex(name).orElse(0);
    }

    /**
     * Sees to it that XDP runs, where it may be attached and something has changed since that was refused.
     *
     * @return what listeners are to be told
     */
    synchronized List<Consumer<XdpListener>> lookAfter() {
        List<Consumer<XdpListener>> news = new ArrayList<>();
        if (!ended) {
            try {
                lookAfter(news);
            } catch (Refusal | RuntimeException unknown) {
                LOG.log(Level.DEBUG, "it is tried again in a second", unknown);
            }
        }
        return news;
    }

    private void lookAfter(List<Consumer<XdpListener>> news) throws Refusal {
        if (ranOn != 0 && running().isPresent()) {
            return;
        }
        int index = index();
        boolean justLost = ranOn != 0;
        if (justLost) {
            lost = whyItIsOff(index);
            ranOn = 0;
            problem = index != 0 ? lost : lost + " XDP is attached again once there is a " + name + ".";
            LOG.log(Level.WARNING, "XDP is off {0}. {1}", name, problem);
            String why = problem;
            news.add(listener -> listener.detached(name, why));
        }
        if (dataPlane.owns(name, this) && link.describe().filter(dead -> dead.interfaceIndex() == 0).isPresent()) {
            link.remove();
        }
        if (index == 0) {
            return;
        }
        Situation now = situation(index);
        // A link whose pin was removed goes when the kernel comes round to it.
        boolean goes = justLost && dataPlane.isOurs(now.programs());
        if (!goes && !now.equals(refusedIn)) {
            refusedIn = now;
            attachAgain(news);
        }
    }

    private Situation situation(int index) {
        return new Situation(index, link.describe().map(LinkDescription::interfaceIndex).orElse(0), Bpf.xdpPrograms(index),
                NetworkOffloads.of(name));
    }

    private void attachAgain(List<Consumer<XdpListener>> news) {
        dataPlane.attaching().lock();
        try {
            if (!dataPlane.isPinned()) {
                throw new Refusal("The pins of the table in " + dataPlane.pins().root() + " were removed, or are another"
                        + " table's: end Flowbypass, remove the rest with ./flowbypass off, and start it again, which makes a"
                        + " new table.");
            }
            problem = settle(false);
            settled();
            String how = "XDP runs on " + name + ", " + describe().mode() + " mode.";
            news.add(listener -> listener.attached(name, how));
        } catch (Refusal | RuntimeException refused) {
            problem = (lost.isEmpty() ? "" : lost + " It was not attached again. ") + refused.getMessage();
            LOG.log(Level.ERROR, "XDP is not attached to {0}. {1}", name, problem);
            LOG.log(Level.DEBUG, "where it failed", refused);
        } finally {
            dataPlane.attaching().unlock();
        }
    }

    private String whyItIsOff(int index) {
        Optional<LinkDescription> found = link.describe();
        if (index == 0) {
            return found.filter(elsewhere -> elsewhere.interfaceIndex() != 0).isPresent()
                    ? "The interface " + name + " has another name now, or is in another network namespace; XDP goes on"
                            + " there."
                    : "The interface " + name + " went away.";
        }
        if (index != ranOn) {
            return "The interface " + name + " went away, and another one has its name.";
        }
        return found.isEmpty() ? "The pin " + link.pin() + " was removed, which took XDP off " + name + "."
                : "Somebody else detached the link that is pinned at " + link.pin() + ".";
    }

    private void configure(Config wanted) {
        config = wanted;
        name = nameIn(wanted);
        link = new Link(dataPlane.pins().link(name));
        ranOn = 0;
        lost = "";
        dataPlane.attaching().lock();
        try {
            problem = settle(config.replace_other());
            settled();
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
            remember();
        } finally {
            dataPlane.attaching().unlock();
        }
    }

    private void settled() {
        ranOn = index();
        lost = "";
        refusedIn = null;
    }

    /** In which situation it was refused; what ran before, runs. */
    private void remember() {
        try {
            int index = index();
            ranOn = running().isPresent() ? index : 0;
            refusedIn = index == 0 ? null : situation(index);
        } catch (BpfException unknown) {
            LOG.log(Level.DEBUG, "it is tried once more", unknown);
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
        Optional<LinkDescription> found = link.describe().filter(each -> each.interfaceIndex() != 0);
        String present = found.map(Link::modeOf).orElse("");
        // This interface, or one that had its name before; 0 for none.
        int linked = found.map(LinkDescription::interfaceIndex).orElse(0);
        if (linked == index && (mode.equals(AUTO) || mode.equals(present))) {
            link.runOneOf(dataPlane.programs().stream().map(Descriptor::number).toList());
            LOG.log(Level.INFO, "XDP still runs on {0}, {1} mode.", name, present);
            return adopted(present);
        }
        InterfaceRules.check(name, mode, config.inline_anyway(), dataPlane.tracksVlans());
        link.remove();
        dataPlane.pins().makeLinks();
        Optional<OtherProgram> other = replace ? OtherProgram.on(index) : Optional.empty();
        try {
            if (other.isPresent()) {
                other.get().replace(name, index, () -> attach(index, mode));
                LOG.log(Level.WARNING, "Another XDP program, {0}, was taken off {1} for it.", other.get(), name);
            } else {
                attach(index, mode);
            }
        } catch (Refusal | RuntimeException refused) {
            if (linked != 0) {
                restore(linked, present, refused);
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
