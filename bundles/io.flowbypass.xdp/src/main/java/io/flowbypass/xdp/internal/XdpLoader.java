// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import io.flowbypass.maps.MapService;
import io.flowbypass.xdp.DataPlane;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
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
        @AttributeDefinition(name = "Capacity", min = "64", max = "8388608", description = "How many flows the native"
                + " table can hold. One takes about 300 bytes of kernel memory. A change needs a restart, and"
                + " ./flowbypass off before it: a pinned table keeps its size.")
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
    }

    private static final Logger LOG = System.getLogger(XdpLoader.class.getName());

    private final BundleContext context;
    private final MapService maps;
    /** What is in force; null when nothing is loaded. */
    private Config inForce;
    private Installation installation;
    private ServiceRegistration<?> registration;

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
        if (config.capacity() != inForce.capacity() || !config.pin_root().equals(inForce.pin_root())) {
            LOG.log(Level.WARNING, "A change of capacity or pin.root needs a restart; in force stay capacity = {0,number,#}"
                    + " and pin.root = {1}.", inForce.capacity(), inForce.pin_root());
        }
        try {
            installation.dataPlane().setLeaseSeconds(config.lease_seconds());
        } catch (IllegalArgumentException outOfRange) {
            LOG.log(Level.ERROR, "{0}; the lease stays {1,number,#} s.", outOfRange.getMessage(),
                    installation.dataPlane().leaseSeconds());
        }
    }

    @Deactivate
    void deactivate() {
        if (installation != null) {
            try {
                registration.unregister();
            } finally {
                installation.close();
            }
        }
    }

    private void load(Config config) {
        Installation made = null;
        try {
            made = Installation.install(maps, ProgramFile.of(context.getBundle()), Path.of(config.pin_root()),
                    new Geometry(config.capacity()), NativeDataPlane.checkedLease(config.lease_seconds()));
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
        // Whatever is configured has been attached by now.
        made.dataPlane().orphans().forEach(orphan -> LOG.log(Level.WARNING, "XDP runs on {0}. {1}", orphan.interfaceName(),
                orphan.problem()));
    }
}
