// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import io.flowbypass.management.XdpInterface;
import io.flowbypass.management.XdpMXBean;
import io.flowbypass.management.XdpVerdict;
import io.flowbypass.xdp.Attachments;
import io.flowbypass.xdp.CutoffOutcome;
import io.flowbypass.xdp.DataPlane;
import io.flowbypass.xdp.Verdict;
import io.flowbypass.xdp.VerdictCounts;
import io.flowbypass.xdp.XdpListener;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import javax.management.MBeanNotificationInfo;
import javax.management.Notification;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** The MBean of the data plane, and its listener. Thread-safe. */
@Component(immediate = true, service = {})
public final class XdpMBean extends DescribedMBean implements XdpMXBean, XdpListener {
    private static final double PERCENT = 100;

    private final DataPlane dataPlane;
    private final Recent<Map<Verdict, VerdictCounts>> verdicts;
    private final Recent<Map<CutoffOutcome, Long>> cutoffs;
    private final AtomicLong notifications = new AtomicLong();
    private ServiceRegistration<XdpListener> listening;

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    private volatile ConfigurationAdmin configurationAdmin;

    /** For this data plane. */
    @Activate
    public XdpMBean(@Reference DataPlane dataPlane) {
        super("Xdp", XdpMXBean.class,
                new MBeanNotificationInfo(new String[] {DETACHED}, Notification.class.getName(),
                        "XDP was found off an interface on which it ran."),
                new MBeanNotificationInfo(new String[] {ATTACHED}, Notification.class.getName(),
                        "XDP was attached to an interface that it was off, or could not be attached to before."),
                new MBeanNotificationInfo(new String[] {REPINNED}, Notification.class.getName(),
                        "Maps of the table were unpinned by other hands, and pinned again."));
        this.dataPlane = dataPlane;
        verdicts = new Recent<>(dataPlane::verdicts, System::nanoTime);
        cutoffs = new Recent<>(dataPlane::cutoffs, System::nanoTime);
    }

    @Activate
    void start(BundleContext context) {
        register();
        listening = context.registerService(XdpListener.class, this, null);
    }

    @Deactivate
    void stop() {
        listening.unregister();
        unregister();
    }

    @Override
    public List<XdpInterface> getInterfaces() {
        return dataPlane.attachments().stream().map(a -> new XdpInterface(a.interfaceName(), a.mode(), a.programId(),
                a.programTag(), a.attached(), a.problem())).toList();
    }

    @Override
    public long getLeaseAgeMillis() {
        return dataPlane.leaseAgeMillis();
    }

    @Override
    public int getLeaseSeconds() {
        return dataPlane.leaseSeconds();
    }

    @Override
    public void setLeaseSeconds(int seconds) {
        dataPlane.setLeaseSeconds(seconds);
    }

    @Override
    public boolean isPaused() {
        return dataPlane.paused();
    }

    @Override
    public void setPaused(boolean paused) {
        dataPlane.setPaused(paused);
    }

    @Override
    public long getCutPackets() {
        return sum(Verdict::isCut, VerdictCounts::packets);
    }

    @Override
    public long getPassedPackets() {
        return sum(verdict -> !verdict.isCut(), VerdictCounts::packets);
    }

    @Override
    public long getCutBytes() {
        return sum(Verdict::isCut, VerdictCounts::bytes);
    }

    @Override
    public long getPassedBytes() {
        return sum(verdict -> !verdict.isCut(), VerdictCounts::bytes);
    }

    @Override
    public double getUnparsedBytesPercent() {
        long all = sum(verdict -> true, VerdictCounts::bytes);
        return all == 0 ? 0 : rounded(PERCENT * sum(Verdict::isUnparsed, VerdictCounts::bytes) / all);
    }

    @Override
    public List<XdpVerdict> getVerdicts() {
        return verdicts.get().entrySet().stream().map(entry -> new XdpVerdict(entry.getKey().name(),
                entry.getValue().packets(), entry.getValue().bytes())).toList();
    }

    private long sum(Predicate<Verdict> which, ToLongFunction<VerdictCounts> what) {
        return verdicts.get().entrySet().stream().filter(entry -> which.test(entry.getKey()))
                .mapToLong(entry -> what.applyAsLong(entry.getValue())).sum();
    }

    @Override
    public boolean isVlanTracking() {
        return dataPlane.tracksVlans();
    }

    @Override
    public boolean isCutoffEnabled() {
        return dataPlane.cutoffEnabled();
    }

    @Override
    public void setCutoffEnabled(boolean enabled) {
        dataPlane.setCutoffEnabled(enabled);
    }

    @Override
    public long getCutoffPackets() {
        return dataPlane.cutoffPackets();
    }

    @Override
    public void setCutoffPackets(long packets) {
        dataPlane.setCutoffPackets(packets);
    }

    @Override
    public long getCutoffBytes() {
        return dataPlane.cutoffBytes();
    }

    @Override
    public void setCutoffBytes(long bytes) {
        dataPlane.setCutoffBytes(bytes);
    }

    @Override
    public long getCutoffDone() {
        return cutoffs(CutoffOutcome.DONE);
    }

    @Override
    public long getCutoffNeverCut() {
        return cutoffs(CutoffOutcome.NEVER_CUT);
    }

    @Override
    public long getCutoffTableFull() {
        return cutoffs(CutoffOutcome.TABLE_FULL);
    }

    @Override
    public long getCutoffTrackerFull() {
        return cutoffs(CutoffOutcome.TRACKER_FULL);
    }

    @Override
    public long getCutoffReserveDry() {
        return cutoffs(CutoffOutcome.RESERVE_DRY);
    }

    @Override
    public long getCutoffContended() {
        return cutoffs(CutoffOutcome.CONTENDED);
    }

    private long cutoffs(CutoffOutcome outcome) {
        return cutoffs.get().getOrDefault(outcome, 0L);
    }

    private long packets(Verdict verdict) {
        VerdictCounts counts = verdicts.get().get(verdict);
        return counts == null ? 0 : counts.packets();
    }

    @Override
    public long getPassedNoFlow() {
        return packets(Verdict.PASSED_NO_FLOW);
    }

    @Override
    public long getPassedOther() {
        return packets(Verdict.PASSED_OTHER);
    }

    @Override
    public long getPassedFragment() {
        return packets(Verdict.PASSED_FRAGMENT);
    }

    @Override
    public long getPassedMalformed() {
        return packets(Verdict.PASSED_MALFORMED);
    }

    @Override
    public long getPassedLease() {
        return packets(Verdict.PASSED_LEASE);
    }

    @Override
    public long getPassedPaused() {
        return packets(Verdict.PASSED_PAUSED);
    }

    @Override
    public long getPassedClosing() {
        return packets(Verdict.PASSED_CLOSING);
    }

    @Override
    public long getPassedReopened() {
        return packets(Verdict.PASSED_REOPENED);
    }

    @Override
    public long getPassedTcpControl() {
        return packets(Verdict.PASSED_TCP_CONTROL);
    }

    @Override
    public long getPassedIcmpError() {
        return packets(Verdict.PASSED_ICMP_ERROR);
    }

    @Override
    public long getCutRedirected() {
        return packets(Verdict.CUT_REDIRECTED);
    }

    @Override
    public long getCutCounted() {
        return packets(Verdict.CUT_COUNTED);
    }

    @Override
    public long getCutClassic() {
        return packets(Verdict.CUT_CLASSIC);
    }

    @Override
    public long getErrorRedirect() {
        return packets(Verdict.ERROR_REDIRECT);
    }

    @Override
    public long getCutDropped() {
        return packets(Verdict.CUT_DROPPED);
    }

    @Override
    public long getError() {
        return packets(Verdict.ERROR);
    }

    @Override
    public String attach(String interfaceName, String mode) {
        return new Attachments(configurationAdmin, dataPlane).attach(interfaceName.strip(), mode.strip());
    }

    @Override
    public String detach(String interfaceName) {
        return new Attachments(configurationAdmin, dataPlane).detach(interfaceName.strip());
    }

    @Override
    public void detached(String interfaceName, String why) {
        tell(DETACHED, interfaceName + ": " + why);
    }

    @Override
    public void attached(String interfaceName, String how) {
        tell(ATTACHED, interfaceName + ": " + how);
    }

    @Override
    public void repinned(String what) {
        tell(REPINNED, what);
    }

    private void tell(String type, String message) {
        sendNotification(new Notification(type, name(), notifications.incrementAndGet(), message));
    }
}
