// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import io.flowbypass.flow.BypassOptions;
import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowState;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.flow.FlowTableListener;
import io.flowbypass.flow.TableStatistics;
import io.flowbypass.management.FlowTableMXBean;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import javax.management.MBeanNotificationInfo;
import javax.management.Notification;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;

/** The MBean of the flow table, and its listener. Thread-safe. */
@Component(immediate = true, service = {})
public final class FlowTableMBean extends DescribedMBean implements FlowTableMXBean, FlowTableListener {
    private static final Logger LOG = System.getLogger(FlowTableMBean.class.getName());

    private static final String ASKER = "jmx";
    private static final int MAX_PAGE = 10000;
    private static final int SAMPLE_SECONDS = 5;
    private static final double PERCENT = 100;

    private final FlowTable table;
    private final Recent<Sample> recent;
    private final Rates rates = new Rates();
    private final AtomicLong notifications = new AtomicLong();
    private ServiceRegistration<FlowTableListener> listening;
    private ScheduledExecutorService sampler;

    private record Sample(TableStatistics table, long packetsPerSecond, long bitsPerSecond) {
    }

    /** For this table. */
    @Activate
    public FlowTableMBean(@Reference FlowTable table) {
        this(table, System::nanoTime);
    }

    FlowTableMBean(FlowTable table, LongSupplier clock) {
        super("FlowTable", FlowTableMXBean.class, new MBeanNotificationInfo(new String[] {STUCK},
                Notification.class.getName(), "A durable listener takes no records, so that the table fills up."));
        this.table = table;
        recent = new Recent<>(() -> sample(clock), clock);
    }

    @Activate
    void start(BundleContext context) {
        register();
        listening = context.registerService(FlowTableListener.class, this, null);
        sampler = Executors.newSingleThreadScheduledExecutor(FlowTableMBean::daemon);
        sampler.scheduleWithFixedDelay(this::keepRates, 0, SAMPLE_SECONDS, TimeUnit.SECONDS);
    }

    private static Thread daemon(Runnable run) {
        Thread thread = new Thread(run, "flowbypass-rates");
        thread.setDaemon(true);
        return thread;
    }

    /** So that whoever looks for the first time sees a rate of the last seconds, and all else as it is then. */
    void keepRates() {
        try {
            recent.get();
            recent.forget();
        } catch (RuntimeException e) { // one that came through would end the sampling
            LOG.log(Level.DEBUG, "the flow table cannot be looked at", e);
        }
    }

    @Deactivate
    void stop() {
        sampler.shutdownNow();
        listening.unregister();
        unregister();
    }

    private Sample sample(LongSupplier clock) {
        TableStatistics now = table.statistics();
        rates.add(now.bypassedPackets(), now.bypassedBytes(), clock.getAsLong());
        return new Sample(now, Math.round(rates.packetsPerSecond()),
                Math.round(rates.bytesPerSecond() * Byte.SIZE));
    }

    private TableStatistics statistics() {
        return recent.get().table();
    }

    @Override
    public int getActiveFlows() {
        return statistics().activeFlows();
    }

    @Override
    public int getCapacity() {
        return statistics().capacity();
    }

    @Override
    public double getOccupancy() {
        TableStatistics now = statistics();
        return now.capacity() == 0 ? 0 : rounded(PERCENT * (now.activeFlows() + now.closingFlows()) / now.capacity());
    }

    @Override
    public long getFlowsAdded() {
        return statistics().flowsAdded();
    }

    @Override
    public long getFlowsEnded() {
        return statistics().flowsEnded();
    }

    @Override
    public long getRefusedBypasses() {
        return statistics().refusedBypasses();
    }

    @Override
    public long getUndeliveredRecords() {
        return statistics().undeliveredRecords();
    }

    @Override
    public long getBypassedPackets() {
        return statistics().bypassedPackets();
    }

    @Override
    public long getBypassedBytes() {
        return statistics().bypassedBytes();
    }

    @Override
    public long getBypassedPacketsPerSecond() {
        return recent.get().packetsPerSecond();
    }

    @Override
    public long getBypassedBitsPerSecond() {
        return recent.get().bitsPerSecond();
    }

    @Override
    public long getUnaccountedPackets() {
        return statistics().unaccountedPackets();
    }

    @Override
    public String bypass(String protocol, String source, int sourcePort, String destination, int destinationPort) {
        return bypassWith(protocol, source, sourcePort, destination, destinationPort, "");
    }

    @Override
    public String bypass(String flow) {
        return bypass(BypassRequest.of(Texts.flow(flow)));
    }

    @Override
    public String bypassWith(String protocol, String source, int sourcePort, String destination, int destinationPort,
            String options) {
        return bypass(BypassOptions.of(options)
                .request(FlowKey.of(protocol, source, sourcePort, destination, destinationPort)));
    }

    private String bypass(BypassRequest request) {
        boolean added = table.bypass(request.withAsker(ASKER));
        recent.forget();
        return (added ? "bypassed " : "already bypassed: ") + request.key();
    }

    @Override
    public String release(String protocol, String source, int sourcePort, String destination, int destinationPort) {
        return releaseWith(protocol, source, sourcePort, destination, destinationPort, "");
    }

    @Override
    public String release(String flow) {
        return release(Texts.flow(flow));
    }

    @Override
    public String releaseWith(String protocol, String source, int sourcePort, String destination, int destinationPort,
            String options) {
        return release(BypassOptions.ofKey(options)
                .key(FlowKey.of(protocol, source, sourcePort, destination, destinationPort)));
    }

    private String release(FlowKey key) {
        try {
            return table.releaseAndWait(key).map(FlowRecord::describe).orElse("not bypassed: " + key);
        } finally {
            recent.forget();
        }
    }

    @Override
    public String find(String protocol, String source, int sourcePort, String destination, int destinationPort) {
        return findWith(protocol, source, sourcePort, destination, destinationPort, "");
    }

    @Override
    public String find(String flow) {
        return find(Texts.flow(flow));
    }

    @Override
    public String findWith(String protocol, String source, int sourcePort, String destination, int destinationPort,
            String options) {
        return find(BypassOptions.ofKey(options)
                .key(FlowKey.of(protocol, source, sourcePort, destination, destinationPort)));
    }

    private String find(FlowKey key) {
        return table.find(key).map(FlowState::describe).orElse("not bypassed: " + key);
    }

    @Override
    public String[] list(int offset, int limit) {
        if (offset < 0) {
            throw new IllegalArgumentException("offset " + offset + " is out of range: at least 0");
        }
        if (limit < 0 || limit > MAX_PAGE) {
            throw new IllegalArgumentException("limit " + limit + " is out of range: 1 to " + MAX_PAGE);
        }
        return table.list(offset, limit(limit)).stream().map(FlowState::describe).toArray(String[]::new);
    }

    @Override
    public String flush() {
        int flows = table.flush();
        recent.forget();
        return "took " + flows + (flows == 1 ? " flow" : " flows") + " out of the bypass";
    }

    @Override
    public void stuck(String what) {
        sendNotification(new Notification(STUCK, name(), notifications.incrementAndGet(), what));
    }
}
