// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import io.flowbypass.flow.FlowListener;
import io.flowbypass.flow.FlowSweeper;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.flow.FlowTableListener;
import io.flowbypass.flow.NeverCutList;
import io.flowbypass.flow.RecordDelivery;
import io.flowbypass.maps.Codec;
import io.flowbypass.maps.Gate;
import io.flowbypass.maps.MapService;
import io.flowbypass.maps.RingBuffer;
import io.flowbypass.xdp.DataPlane;
import io.flowbypass.xdp.OldTable;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.SocketException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.osgi.annotation.bundle.Capability;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/**
 * Maps the native table, adopts what is in it, and offers it as services for as long as the data plane is there. Its
 * housekeeping is the sign of life that XDP's lease waits for.
 */
@Capability(namespace = "osgi.service",
        attribute = "objectClass:List<String>='io.flowbypass.flow.FlowTable,io.flowbypass.flow.FlowSweeper'")
@Capability(namespace = "osgi.service", attribute = "objectClass:List<String>='io.flowbypass.flow.RecordDelivery'")
@Capability(namespace = "osgi.service", attribute = "objectClass:List<String>='io.flowbypass.flow.NeverCutList'")
@Component(service = {}, immediate = true, configurationPid = TableComponent.PID)
@Designate(ocd = TableComponent.Config.class)
public final class TableComponent {
    static final String PID = "io.flowbypass.table";

    /** Configuration. */
    @ObjectClassDefinition(name = "Flowbypass flow table", description = "The table of bypassed flows.")
    public @interface Config {
        /** Listeners that hold slots. */
        @AttributeDefinition(name = "Durable listeners", description = "Names of the flow listeners that must take the"
                + " record of an ended flow before its slot is used again, separated by commas. While such a listener is"
                + " missing or failing, ended flows keep their slots and the table fills up.")
        String durable_listeners() default "";

        /** Prefixes, protocols and ports. */
        @AttributeDefinition(name = "Never cut", description = "What is never cut, whoever asks, separated by commas: a"
                + " prefix, and a protocol or protocol/port if need be, such as 192.0.2.0/24, 2001:db8::1 tcp/22,"
                + " 0.0.0.0/0 udp/53. It names flows one of whose addresses lies in the prefix and one of whose ports is"
                + " the port. This machine's own addresses are always on the list. A changed list ends the bypass of what"
                + " it names.")
        String never_cut() default "";
    }

    private static final Logger LOG = System.getLogger(TableComponent.class.getName());
    private static final long HEARTBEAT_SECONDS = 1;
    private static final long STOP_SECONDS = 5;
    private static final Duration CUTOFF_WAIT = Duration.ofSeconds(1);

    private final Delivery delivery = new Delivery();
    private final Watch watch = new Watch();
    private final ScheduledExecutorService housekeeping = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "flowbypass-housekeeping");
        thread.setDaemon(true);
        return thread;
    });

    @Reference
    private MapService maps;
    @Reference
    private DataPlane dataPlane;
    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    private volatile ConfigurationAdmin configurationAdmin;

    /** Null when what is configured could not be read, and nothing was before. */
    private volatile List<NeverCut.Entry> configured;
    private Gate gate;
    private NativeFlowTable flows;
    private NeverCutMap neverCutMap;
    /** What is in force; null at first. */
    private volatile NeverCut inForce;
    private volatile boolean cutoffAllowed;
    private RingBuffer cutoffs;
    private Thread cutoffReader;
    /** Null when there is nothing to drain. */
    private Drain drain;
    private ServiceRegistration<?> registration;
    private ServiceRegistration<?> deliveryRegistration;
    private ServiceRegistration<?> neverCutRegistration;

    @Activate
    void activate(BundleContext context, Config config) {
        configure(config);
        // Until it is known what XDP took meanwhile.
        dataPlane.allowCutoff(false);
        gate = maps.newGate();
        NativeTable table = new NativeTable(dataPlane.index().map(gate), dataPlane.records().map(gate),
                dataPlane.info().map(gate), dataPlane.seeds());
        flows = new NativeFlowTable(table, gate, dataPlane, new Ledger(dataPlane, maps.possibleCpus()), delivery,
                new Reserve(dataPlane.reserve().queue(Codec.INT)), maps::awaitRunningPrograms);
        neverCutMap = new NeverCutMap(dataPlane.never().map(gate), dataPlane);
        String found = flows.start();
        LOG.log(Level.INFO, "flow table of {0} flows: {1}", flows.capacity(), found);
        dataPlane.heartbeat();
        refuseNeverCut();
        housekeeping.scheduleAtFixedRate(this::keepHouse, 0, HEARTBEAT_SECONDS, TimeUnit.SECONDS);
        cutoffs = dataPlane.events().ringBuffer();
        cutoffReader = new Thread(this::readCutoffs, "flowbypass-cutoffs");
        cutoffReader.setDaemon(true);
        cutoffReader.start();
        registration = context.registerService(
                new String[] {FlowTable.class.getName(), FlowSweeper.class.getName()}, flows, null);
        deliveryRegistration = context.registerService(RecordDelivery.class,
                records -> delivery.offer(List.copyOf(records)), null);
        neverCutRegistration = context.registerService(NeverCutList.class,
                new NeverCutSetting(() -> configurationAdmin, () -> inForce), null);
        dataPlane.oldTable().ifPresent(this::drain);
    }

    private void drain(OldTable old) {
        drain = new Drain(old, maps.newGate(), delivery, maps::awaitRunningPrograms);
        drain.start();
    }

    @Modified
    void modified(Config config) {
        configure(config);
        housekeeping.execute(this::keepHouse);
    }

    private void configure(Config config) {
        delivery.setDurable(names(config.durable_listeners()));
        try {
            configured = NeverCut.list(config.never_cut());
        } catch (IllegalArgumentException bad) {
            LOG.log(Level.ERROR, "{0}. {1}", bad.getMessage(), configured == null
                    ? "No flow is bypassed until that is mended." : "The never-cut list stays as it was.");
        }
    }

    @Deactivate
    void deactivate() {
        neverCutRegistration.unregister();
        deliveryRegistration.unregister();
        registration.unregister();
        cutoffs.close();
        cutoffReader.interrupt();
        housekeeping.shutdownNow();
        awaitHousekeeping();
        if (drain != null) {
            drain.stop();
        }
        watch.close();
        flows.stop();
        delivery.close();
        gate.close();
    }

    /** What it still does must not reach into the next one's start. */
    private void awaitHousekeeping() {
        try {
            if (!housekeeping.awaitTermination(STOP_SECONDS, TimeUnit.SECONDS)) {
                LOG.log(Level.WARNING, "housekeeping does not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addListener(FlowListener listener, ServiceReference<FlowListener> reference) {
        Object name = reference.getProperty(FlowListener.NAME);
        delivery.add(reference, name != null ? name.toString() : listener.getClass().getName(), listener);
    }

    void removeListener(ServiceReference<FlowListener> reference) {
        delivery.remove(reference);
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addTableListener(FlowTableListener listener) {
        watch.add(listener);
    }

    void removeTableListener(FlowTableListener listener) {
        watch.remove(listener);
    }

    private void keepHouse() {
        try {
            dataPlane.heartbeat();
            watch.look(flows.room(), delivery);
            dataPlane.lookAtRedirectPorts();
            guardNeverCut();
            dataPlane.allowCutoff(cutoffAllowed);
            tendReserve();
        } catch (SocketException | RuntimeException | Error e) { // one that came through would end the heartbeat
            LOG.log(Level.WARNING, "housekeeping failed, it is tried again in a second", e);
        }
    }

    /** So that flows can be bypassed from the start on. What was adopted is compared with the list by housekeeping. */
    private void refuseNeverCut() {
        try {
            if (configured != null) {
                flows.refuseNeverCut(NeverCut.of(OwnAddresses.now(), configured));
            }
        } catch (SocketException unreadable) {
            LOG.log(Level.WARNING, "this machine's own addresses cannot be read, it is tried again in a second", unreadable);
        }
    }

    private void guardNeverCut() throws SocketException {
        if (configured == null) {
            return;
        }
        NeverCut list = NeverCut.of(OwnAddresses.now(), configured);
        if (list.equals(inForce)) {
            return;
        }
        if (!list.fitsKernel()) {
            dataPlane.allowCutoff(false);
            LOG.log(Level.ERROR, "The never-cut list has {0} entries, this machine''s own addresses among them. The kernel"
                    + " has room for {1}: nothing is cut off automatically until it fits.", list.entries().size(), Layout.NEVER);
        }
        int taken = flows.setNeverCut(list, list.fitsKernel() ? neverCutMap::publish : tooLong -> { });
        inForce = list;
        cutoffAllowed = list.fitsKernel();
        if (taken > 0) {
            LOG.log(Level.INFO, "the never-cut list was changed: {0} flows that it names were taken out", taken);
        }
    }

    private void tendReserve() {
        flows.tendReserve(cutoffAllowed && dataPlane.cutoffEnabled());
    }

    /** Without notices, or without one of them, housekeeping finds within a second what XDP took. */
    private void readCutoffs() {
        try {
            while (!Thread.currentThread().isInterrupted()) {
                if (cutoffs.consume(slot -> { }, CUTOFF_WAIT) > 0) {
                    tendReserve();
                }
            }
        } catch (IllegalStateException ending) {
            LOG.log(Level.DEBUG, "no more notices of flows that were cut off", ending);
        } catch (RuntimeException broken) {
            LOG.log(Level.WARNING, "notices of flows that were cut off are not read any more", broken);
        }
    }

    private static Set<String> names(String list) {
        return Arrays.stream(list.split(",")).map(String::strip).filter(name -> !name.isEmpty())
                .collect(Collectors.toUnmodifiableSet());
    }
}
