// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import io.flowbypass.flow.FlowListener;
import io.flowbypass.flow.FlowSweeper;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.maps.Gate;
import io.flowbypass.maps.MapService;
import io.flowbypass.xdp.DataPlane;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.SocketException;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.osgi.annotation.bundle.Capability;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/**
 * Maps the native table, adopts what is in it, and offers it as services for as long as the data plane is there. Its
 * housekeeping is the sign of life that XDP's lease waits for.
 */
@Capability(namespace = "osgi.service",
        attribute = "objectClass:List<String>='io.flowbypass.flow.FlowTable,io.flowbypass.flow.FlowSweeper'")
@Component(service = {}, immediate = true, configurationPid = "io.flowbypass.table")
@Designate(ocd = TableComponent.Config.class)
public final class TableComponent {
    /** Configuration. */
    @ObjectClassDefinition(name = "Flowbypass flow table", description = "The table of bypassed flows.")
    public @interface Config {
        /** Listeners that hold slots. */
        @AttributeDefinition(name = "Durable listeners", description = "Names of the flow listeners that must take the"
                + " record of an ended flow before its slot is used again, separated by commas. While such a listener is"
                + " missing or failing, ended flows keep their slots and the table fills up.")
        String durable_listeners() default "";
    }

    private static final Logger LOG = System.getLogger(TableComponent.class.getName());
    private static final long HEARTBEAT_SECONDS = 1;

    private final Delivery delivery = new Delivery();
    private final OwnAddresses own = new OwnAddresses();
    private final ScheduledExecutorService housekeeping = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "flowbypass-housekeeping");
        thread.setDaemon(true);
        return thread;
    });

    @Reference
    private MapService maps;
    @Reference
    private DataPlane dataPlane;

    private Gate gate;
    private NativeFlowTable flows;
    private ServiceRegistration<?> registration;

    @Activate
    void activate(BundleContext context, Config config) {
        modified(config);
        gate = maps.newGate();
        NativeTable table = new NativeTable(dataPlane.index().map(gate), dataPlane.records().map(gate),
                dataPlane.info().map(gate), dataPlane.seeds());
        flows = new NativeFlowTable(table, gate, dataPlane.tableId(), new Ledger(dataPlane, maps.possibleCpus()),
                delivery, own, maps::awaitRunningPrograms);
        maps.awaitRunningPrograms();
        String found = flows.start();
        LOG.log(Level.INFO, "flow table of {0} flows: {1}", flows.capacity(), found);
        keepHouse();
        housekeeping.scheduleAtFixedRate(this::keepHouse, HEARTBEAT_SECONDS, HEARTBEAT_SECONDS, TimeUnit.SECONDS);
        registration = context.registerService(
                new String[] {FlowTable.class.getName(), FlowSweeper.class.getName()}, flows, null);
    }

    @Modified
    void modified(Config config) {
        delivery.setDurable(names(config.durable_listeners()));
    }

    @Deactivate
    void deactivate() {
        registration.unregister();
        housekeeping.shutdownNow();
        flows.stop();
        delivery.close();
        gate.close();
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addListener(FlowListener listener, ServiceReference<FlowListener> reference) {
        Object name = reference.getProperty(FlowListener.NAME);
        delivery.add(reference, name != null ? name.toString() : listener.getClass().getName(), listener);
    }

    void removeListener(ServiceReference<FlowListener> reference) {
        delivery.remove(reference);
    }

    private void keepHouse() {
        try {
            dataPlane.heartbeat();
            own.refresh();
        } catch (SocketException | RuntimeException e) {
            LOG.log(Level.WARNING, "housekeeping failed, it is tried again in a second", e);
        }
    }

    private static Set<String> names(String list) {
        return Arrays.stream(list.split(",")).map(String::strip).filter(name -> !name.isEmpty())
                .collect(Collectors.toUnmodifiableSet());
    }
}
