// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import io.flowbypass.expiry.Expiry;
import io.flowbypass.expiry.ExpiryListener;
import io.flowbypass.flow.Difference;
import io.flowbypass.flow.FlowTableListener;
import io.flowbypass.management.ExpiryMXBean;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import javax.management.MBeanNotificationInfo;
import javax.management.Notification;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;

/** The MBean of the expiry engine, and its listener; the table's too, which knows when it is full. Thread-safe. */
@Component(immediate = true, service = {})
public final class ExpiryMBean extends DescribedMBean implements ExpiryMXBean, ExpiryListener, FlowTableListener {
    private final Expiry expiry;
    private final AtomicLong notifications = new AtomicLong();
    private ServiceRegistration<?> listening;

    /** For this engine. */
    @Activate
    public ExpiryMBean(@Reference Expiry expiry) {
        super("Expiry", ExpiryMXBean.class,
                new MBeanNotificationInfo(new String[] {SWAPPED}, Notification.class.getName(),
                        "The list of active policies changed."),
                new MBeanNotificationInfo(new String[] {QUARANTINED}, Notification.class.getName(),
                        "A policy is not asked any more because it failed too often."),
                new MBeanNotificationInfo(new String[] {PRESSURE}, Notification.class.getName(),
                        "A table fills up, or expiry is in trouble."));
        this.expiry = expiry;
    }

    /** The listener is no service of the component itself: the engine would ask for it while it is made from the engine. */
    @Activate
    void start(BundleContext context) {
        register();
        listening = context.registerService(
                new String[] {ExpiryListener.class.getName(), FlowTableListener.class.getName()}, this, null);
    }

    @Deactivate
    void stop() {
        listening.unregister();
        unregister();
    }

    @Override
    public String getActivePolicies() {
        return Texts.of(expiry.activePolicies());
    }

    @Override
    public String getAvailablePolicies() {
        return Texts.of(expiry.availablePolicies());
    }

    @Override
    public String getQuarantinedPolicies() {
        return Texts.of(expiry.quarantinedPolicies());
    }

    @Override
    public long getSweeps() {
        return expiry.sweeps();
    }

    @Override
    public double getLastSweepMillis() {
        return rounded(expiry.lastSweepMillis());
    }

    @Override
    public int getLastSweepScanned() {
        return expiry.lastSweepScanned();
    }

    @Override
    public int getLastSweepExpired() {
        return expiry.lastSweepExpired();
    }

    @Override
    public long getExpiredFlows() {
        return expiry.expiredFlows();
    }

    @Override
    public int getSweepIntervalMillis() {
        return expiry.sweepIntervalMillis();
    }

    @Override
    public void setSweepIntervalMillis(int millis) {
        expiry.setSweepIntervalMillis(millis);
        ConfigurationFiles.confirm("sweep.interval.millis = " + millis);
    }

    @Override
    public String selectPolicies(String names) {
        expiry.selectPolicies(Texts.names(names));
        ConfigurationFiles.confirm("active.policies = " + names);
        return "active from the next sweep on: " + getActivePolicies();
    }

    @Override
    public String[] compare(String names, int limit) {
        return expiry.compare(Texts.names(names), limit(limit)).stream()
                .map(Difference::describe).toArray(String[]::new);
    }

    @Override
    public int sweepNow() {
        return expiry.sweepNow();
    }

    @Override
    public void policiesSwapped(List<String> before, List<String> now, String why) {
        tell(SWAPPED, "now " + now + ", before " + before + ": " + why);
    }

    @Override
    public void policyQuarantined(String policy, String why) {
        tell(QUARANTINED, policy + ": " + why);
    }

    @Override
    public void pressure(String what) {
        tell(PRESSURE, what);
    }

    @Override
    public void full(String what) {
        tell(PRESSURE, what);
    }

    private void tell(String type, String message) {
        sendNotification(new Notification(type, name(), notifications.incrementAndGet(), message));
    }
}
