// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import io.flowbypass.maps.MapService;
import io.flowbypass.xdp.DataPlane;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.osgi.annotation.bundle.Capability;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/**
 * Loads or adopts the program and its maps, and offers the data plane as long as they are there. Its end, for whichever
 * reason, leaves pins and links alone: XDP goes on until the lease is over, and the next one adopts them.
 */
@Component(service = {}, immediate = true, configurationPid = "io.flowbypass.xdp")
@Designate(ocd = XdpLoader.Config.class)
@Capability(namespace = "osgi.service", attribute = "objectClass:List<String>=\"io.flowbypass.xdp.DataPlane\"",
        uses = DataPlane.class)
@Capability(namespace = "osgi.service",
        attribute = "objectClass:List<String>=\"io.flowbypass.xdp.internal.NativeDataPlane\"")
public final class XdpLoader {
    /** Configuration. */
    @ObjectClassDefinition(name = "Flowbypass XDP", description = "The XDP program and its maps in the kernel.")
    public @interface Config {
        /** Flows. */
        @AttributeDefinition(name = "Capacity", min = "64", max = "10485760", description = "How many flows the native"
                + " table can hold. One takes about 315 bytes of kernel memory. A change needs a restart, by"
                + " ./flowbypass run --migrate, or after ./flowbypass off: a pinned table keeps its size.")
        int capacity() default 262144;

        /** Directory of the pins. */
        @AttributeDefinition(name = "Pin root", description = "The directory on a bpf file system where program, maps and"
                + " links are pinned. It is made when it is missing; its parent must exist. A change needs a restart.")
        String pin_root() default "/sys/fs/bpf/flowbypass";

        /** Seconds. */
        @AttributeDefinition(name = "Lease", min = "1", max = "86400", description = "After how many seconds without a"
                + " sign of life from the flow table XDP passes all packets. Shorter than a restart takes, it floods the"
                + " monitor at every restart.")
        int lease_seconds() default 60;

        /** VLAN ids in keys. */
        @AttributeDefinition(name = "VLAN tracking", description = "Whether the first two VLAN ids of a packet are part of"
                + " its flow's key, so that equal addresses and ports in two VLANs are two flows; whoever asks for a bypass"
                + " has to name them then. Interfaces must not strip tags (rxvlan off). A change needs a restart.")
        boolean vlan_tracking() default false;

        /** Redirect targets. */
        @AttributeDefinition(name = "Redirect ports", description = "Where packets may be redirected to: a number from 0 to"
                + " 15, = and an interface, and behind a slash the MAC address that packets get there, if they are not to"
                + " keep theirs; separated by commas, such as 0 = eth2, 1 = eth3/02:00:00:00:00:01. In force only when"
                + " every interface is there.")
        String redirect_ports() default "";

        /** Whether XDP cuts flows off by itself. */
        @AttributeDefinition(name = "Automatic cut-off", description = "Whether XDP bypasses a flow by itself once both its"
                + " directions together pass a threshold.")
        boolean cutoff_enabled() default false;

        /** Packets. */
        @AttributeDefinition(name = "Cut-off after packets", min = "0", max = "8388608", description = "The packets of a"
                + " flow, of both directions, after which it is cut off; 0 for no such threshold.")
        long cutoff_packets() default 0;

        /** Bytes. */
        @AttributeDefinition(name = "Cut-off after bytes", min = "0", max = "549755813888", description = "The bytes of a"
                + " flow, of both directions, after which it is cut off; 0 for no such threshold.")
        long cutoff_bytes() default 4194304;

        /** What may be cut off. */
        @AttributeDefinition(name = "Cut-off allowed", description = "The only protocols and ports, at most 8, whose flows"
                + " XDP may cut off by itself, such as tcp/443, udp/443; the other side's port must be 1024 or higher. Tunnels"
                + " are never cut off.")
        String cutoff_allowed() default "tcp/443";

        /** Whose tables. */
        @AttributeDefinition(name = "Tables of other tools", description = "The tools whose own tables XDP uses beside the"
                + " native one, separated by commas: libflowbypass, zeek, suricata/ and the interface that its maps are named"
                + " after; and behind each the entries of a map that Flowbypass makes, if they are not to be those of the"
                + " tool, such as libflowbypass 524288, suricata/eth1, zeek.")
        String classic_tables() default "";

        /** Whose pins. */
        @AttributeDefinition(name = "Owner of their pins", description = "The user, or user:group, that gets the pins of the"
                + " maps that Flowbypass makes for other tools; empty for the user that it runs as.")
        String classic_owner() default "";
    }

    private static final Logger LOG = System.getLogger(XdpLoader.class.getName());
    /** Whether a table of another layout or capacity is drained and replaced: {@code ./flowbypass run --migrate}. */
    private static final String MIGRATE = "flowbypass.migrate";
    /** The lease of this start in seconds, whatever is configured: {@code ./flowbypass run --lease}. */
    private static final String LEASE = "flowbypass.lease.seconds";

    private final BundleContext context;
    private final MapService maps;
    /** What was loaded, with the values that only a restart changes; null when nothing is loaded. */
    private Config inForce;
    /** The last one that there was. */
    private Config last;
    private Installation installation;
    private ServiceRegistration<?> registration;
    private Caretaker caretaker;

    /** Called by the framework. */
    @Activate
    public XdpLoader(BundleContext context, @Reference MapService maps, Config config) {
        this.context = context;
        this.maps = maps;
        load(config);
    }

    @Modified
    void modified(Config config) {
        if (installation == null) {
            load(config);
            return;
        }
        if (config.capacity() != inForce.capacity() || !config.pin_root().equals(inForce.pin_root())
                || config.vlan_tracking() != inForce.vlan_tracking()) {
            LOG.log(Level.WARNING, "A change of capacity, pin.root or vlan.tracking needs a restart; in force stay"
                    + " capacity = {0,number,#}, pin.root = {1} and vlan.tracking = {2}.", inForce.capacity(),
                    inForce.pin_root(), inForce.vlan_tracking());
        }
        NativeDataPlane dataPlane = installation.dataPlane();
        // What was set over JMX stays, unless the configuration of that very value changed.
        if (config.lease_seconds() != last.lease_seconds()) {
            attempt(() -> dataPlane.setLeaseSeconds(config.lease_seconds()));
        }
        if (config.cutoff_packets() != last.cutoff_packets()) {
            attempt(() -> dataPlane.setCutoffPackets(config.cutoff_packets()));
        }
        if (config.cutoff_bytes() != last.cutoff_bytes()) {
            attempt(() -> dataPlane.setCutoffBytes(config.cutoff_bytes()));
        }
        if (config.cutoff_enabled() != last.cutoff_enabled()) {
            attempt(() -> dataPlane.setCutoffEnabled(config.cutoff_enabled()));
        }
        if (attempt(() -> dataPlane.setRedirectPorts(RedirectPort.list(config.redirect_ports())))
                && !config.redirect_ports().equals(last.redirect_ports())) {
            LOG.log(Level.INFO, "In force: redirect.ports = {0}", config.redirect_ports());
        }
        if (attempt(() -> dataPlane.setAllowed(ServicePort.list(config.cutoff_allowed())))
                && !config.cutoff_allowed().equals(last.cutoff_allowed())) {
            LOG.log(Level.INFO, "In force: cutoff.allowed = {0}", config.cutoff_allowed());
        }
        if (!config.classic_tables().equals(last.classic_tables()) || !config.classic_owner().equals(last.classic_owner())) {
            attempt(() -> installation.useClassic(toolsIn(config)));
        }
        last = config;
    }

    private int leaseAtTheStart(Config config) {
        String asked = context.getProperty(LEASE);
        return asked == null ? config.lease_seconds() : Integer.parseInt(asked);
    }

    private static ClassicPins.Wanted toolsIn(Config config) {
        return ClassicPins.Wanted.of(ClassicSetting.list(config.classic_tables()), config.classic_owner());
    }

    private static ClassicPins.Wanted toolsAtTheStart(Config config) {
        List<ClassicPins.Wanted> tools = new ArrayList<>();
        return attempt(() -> tools.add(toolsIn(config))) ? tools.get(0) : ClassicPins.Wanted.of(List.of(), "");
    }

    /** Puts everything into force; what is refused is as if it were not there, whatever an earlier run had pinned. */
    private static void begin(NativeDataPlane dataPlane, Config config) throws Refusal {
        dataPlane.setTracksVlans(config.vlan_tracking());
        if (!attempt(() -> dataPlane.setRedirectPorts(RedirectPort.list(config.redirect_ports())))) {
            dataPlane.setRedirectPorts(List.of());
        }
        if (!attempt(() -> dataPlane.setAllowed(ServicePort.list(config.cutoff_allowed())))) {
            dataPlane.setAllowed(List.of());
        }
        if (!attempt(() -> dataPlane.setCutoffPackets(config.cutoff_packets()))) {
            dataPlane.setCutoffPackets(0);
        }
        if (!attempt(() -> dataPlane.setCutoffBytes(config.cutoff_bytes()))) {
            dataPlane.setCutoffBytes(0);
        }
        dataPlane.setCutoffEnabled(config.cutoff_enabled());
    }

    /** A change that can be refused. */
    private interface Change {
        void make() throws Refusal;
    }

    /** Makes a change; false when it was refused, which is logged, and what was stays. */
    private static boolean attempt(Change change) {
        try {
            change.make();
            return true;
        } catch (Refusal | RuntimeException refused) {
            LOG.log(Level.ERROR, "Not in force, of io.flowbypass.xdp: {0}", refused.getMessage());
            return false;
        }
    }

    @Deactivate
    void deactivate() {
        if (installation != null) {
            try {
                registration.unregister();
                caretaker.close();
            } finally {
                installation.close();
            }
        }
    }

    private void load(Config config) {
        Installation made = null;
        try {
            made = Installation.install(maps, ProgramFile.of(context.getBundle()), Path.of(config.pin_root()),
                    new Geometry(config.capacity()), NativeDataPlane.checkedLease(leaseAtTheStart(config)),
                    toolsAtTheStart(config), Boolean.parseBoolean(context.getProperty(MIGRATE)));
            begin(made.dataPlane(), config);
            registration = context.registerService(
                    new String[] {DataPlane.class.getName(), NativeDataPlane.class.getName()}, made.dataPlane(), null);
        } catch (Refusal | RuntimeException refused) {
            if (made != null) {
                made.close();
            }
            String sentence = "The XDP program is not loaded. " + refused.getMessage();
            if (!FailureFile.write(context, sentence)) {
                LOG.log(Level.ERROR, sentence);
            }
            LOG.log(Level.DEBUG, "where it failed", refused);
            return;
        }
        installation = made;
        inForce = config;
        last = config;
        // Whatever is configured has been attached by now.
        made.dataPlane().orphans().forEach(orphan -> LOG.log(Level.WARNING, "XDP runs on {0}. {1}", orphan.interfaceName(),
                orphan.problem()));
        caretaker = new Caretaker(context, made.dataPlane());
    }
}
