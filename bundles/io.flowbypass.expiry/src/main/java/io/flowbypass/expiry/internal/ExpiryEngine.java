// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.expiry.internal;

import io.flowbypass.expiry.Expiry;
import io.flowbypass.expiry.ExpiryListener;
import io.flowbypass.flow.Difference;
import io.flowbypass.flow.FlowSweeper;
import io.flowbypass.policy.ExpiryPolicy;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.osgi.service.cm.Configuration;
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
 * The expiry engine: wires policies, tables and listeners to a worker thread, watches that thread, and keeps the
 * configuration.
 *
 * <p>A policy call that does not return for 2 s costs the worker: it is abandoned and another takes over; the third time,
 * expiry stops.
 */
@Component(immediate = true, configurationPid = ExpiryEngine.PID)
@Designate(ocd = ExpiryEngine.Config.class)
public final class ExpiryEngine implements Expiry {
    static final String PID = "io.flowbypass.expiry";
    static final String INTERVAL = "sweep.interval.millis";
    static final String ACTIVE = "active.policies";

    private static final Logger LOG = System.getLogger(ExpiryEngine.class.getName());
    private static final int MIN_INTERVAL = 10;
    private static final int DEFAULT_INTERVAL = 1000;
    private static final int MAX_INTERVAL = 3600000;
    private static final int MAX_DIFFERENCES = 10000;
    private static final int MAX_BUDGET_MILLIS = 1000;
    private static final int MAX_ABANDONED = 3;
    private static final int TRIES = 3;
    private static final long WATCHDOG_MILLIS = 200;
    /** Looks of the watchdog, not time: a JVM that was stopped for a while has hung no policy. */
    private static final int LONGEST_CALL_LOOKS = 10;
    private static final long STORE_AGAIN_MILLIS = 500;
    /** Storings, not time, as with the looks. */
    private static final int STORINGS = 4;

    /** What an operator can set. */
    @ObjectClassDefinition(name = "Expiry",
            description = "Sweeps every flow table at an interval by the active policies.")
    public @interface Config {
        /** Milliseconds between two sweeps. */
        @AttributeDefinition(name = "Sweep interval", min = "10", max = "3600000",
                description = "This many milliseconds lie between the beginnings of two sweeps.")
        int sweep_interval_millis() default DEFAULT_INTERVAL;

        /** Names of policies. */
        @AttributeDefinition(name = "Active policies", required = false,
                description = "The names of the policies to ask, in order, separated by commas; when empty, all installed"
                        + " policies are asked, the highest service ranking first.")
        String active_policies() default "";
    }

    private record Settings(int intervalMillis, List<String> policies) {
        private static final String ALLOWED = "set " + MIN_INTERVAL + " to " + MAX_INTERVAL + " milliseconds";

        /** Keeps the interval where the new one is bad: the other values hold nevertheless. */
        static Settings of(Config config, int interval) {
            return new Settings(interval(config, interval), Stream.of(config.active_policies().split(",")).map(String::strip)
                    .filter(name -> !name.isEmpty()).distinct().toList());
        }

        private static int interval(Config config, int old) {
            String problem;
            try {
                int interval = config.sweep_interval_millis();
                if (isAllowed(interval)) {
                    return interval;
                }
                problem = interval + " is out of range";
            } catch (RuntimeException e) { // SCR throws here what it cannot convert
                problem = e.getMessage();
            }
            LOG.log(Level.ERROR, "configuration " + PID + " has a bad " + INTERVAL + ", so expiry sweeps every " + old
                    + " ms: " + problem + "; " + ALLOWED);
            return old;
        }

        private static boolean isAllowed(int millis) {
            return millis >= MIN_INTERVAL && millis <= MAX_INTERVAL;
        }

        static void checkInterval(int millis) {
            if (!isAllowed(millis)) {
                throw new IllegalArgumentException(INTERVAL + " = " + millis + " of " + PID + " is out of range: "
                        + ALLOWED);
            }
        }
    }

    private final Notices notices = new Notices();
    private final Policies policies = new Policies(notices);
    private final Sweeps sweeps = new Sweeps(policies, notices);
    private final List<String> hung = new ArrayList<>();
    private final Object storing = new Object();
    private ScheduledExecutorService watchdog;
    private Worker worker;
    private volatile Settings settings;

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    private volatile ConfigurationAdmin configurationAdmin;

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addSweeper(FlowSweeper sweeper) {
        sweeps.add(sweeper);
    }

    void removeSweeper(FlowSweeper sweeper) {
        sweeps.remove(sweeper);
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC, updated = "updatedPolicy")
    void addPolicy(ExpiryPolicy policy, Map<String, ?> properties) {
        policies.add(policy, properties);
    }

    void updatedPolicy(ExpiryPolicy policy, Map<String, ?> properties) {
        policies.add(policy, properties);
    }

    void removePolicy(Map<String, ?> properties) {
        policies.remove(properties);
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addListener(ExpiryListener listener) {
        notices.add(listener);
    }

    void removeListener(ExpiryListener listener) {
        notices.remove(listener);
    }

    /** Starts sweeping; an interval that is bad is replaced by the default. */
    @Activate
    public synchronized void activate(Config config) {
        settings = Settings.of(config, DEFAULT_INTERVAL);
        policies.start(settings.policies);
        startWorker();
        watchdog = Executors.newSingleThreadScheduledExecutor(run -> Notices.daemon(run, "flowbypass-expiry-watchdog"));
        watchdog.scheduleWithFixedDelay(this::watch, WATCHDOG_MILLIS, WATCHDOG_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** Takes a changed configuration; the old interval stays where the new one is bad. */
    @Modified
    public synchronized void modified(Config config) {
        Settings before = settings;
        settings = Settings.of(config, before.intervalMillis);
        if (!settings.policies.equals(before.policies)) {
            policies.select(settings.policies, settings.policies.isEmpty() ? "all policies were selected"
                    : String.join(", ", settings.policies) + " selected");
        }
        if (settings.intervalMillis != before.intervalMillis && worker != null) {
            worker.every(settings.intervalMillis);
        }
        notifyAll();
    }

    /** Stops sweeping; a running sweep ends at its next flow. */
    @Deactivate
    public synchronized void deactivate() {
        watchdog.shutdownNow();
        if (worker != null) {
            worker.stop();
            worker = null;
        }
        notices.close();
    }

    private void startWorker() {
        worker = new Worker(hung.size() + 1, this::sweep);
        worker.every(settings.intervalMillis);
    }

    private int sweep(PolicyCalls calls) {
        return sweeps.run(calls, Duration.ofMillis(Math.min(sweepIntervalMillis(), MAX_BUDGET_MILLIS)));
    }

    private synchronized void watch() {
        InstalledPolicy policy = worker == null ? null : worker.stuckIn(LONGEST_CALL_LOOKS);
        if (policy == null) {
            return;
        }
        worker.abandon();
        worker = null;
        hung.add(policy.name());
        policies.quarantine(policy, "did not return from a call for 2 s");
        if (hung.size() < MAX_ABANDONED) {
            startWorker();
        } else {
            notices.pressure(Level.ERROR, "CRITICAL: expiry has stopped because policies hung " + hung.size() + " times: "
                    + hung + ". Bypassed flows no longer expire. Uninstall the hanging policies, then restart the bundle "
                    + PID);
        }
    }

    private synchronized Worker worker() {
        if (worker == null) {
            throw new IllegalStateException("expiry has stopped because policies hung: " + hung
                    + ". Uninstall them, then restart the bundle " + PID);
        }
        return worker;
    }

    @Override
    public List<String> activePolicies() {
        return Policies.names(policies.active());
    }

    @Override
    public List<String> availablePolicies() {
        return policies.availableNames();
    }

    @Override
    public List<String> quarantinedPolicies() {
        return policies.quarantinedNames();
    }

    @Override
    public long sweeps() {
        return sweeps.totals().sweeps();
    }

    @Override
    public double lastSweepMillis() {
        return sweeps.totals().lastMillis();
    }

    @Override
    public int lastSweepScanned() {
        return sweeps.totals().lastScanned();
    }

    @Override
    public int lastSweepExpired() {
        return sweeps.totals().lastExpired();
    }

    @Override
    public long expiredFlows() {
        return sweeps.totals().expired();
    }

    @Override
    public int sweepIntervalMillis() {
        return settings.intervalMillis;
    }

    @Override
    public void setSweepIntervalMillis(int millis) {
        Settings.checkInterval(millis);
        synchronized (storing) {
            store(INTERVAL, Integer.toString(millis), now -> now.intervalMillis == millis);
        }
    }

    @Override
    public void selectPolicies(List<String> names) {
        List<String> wanted = List.copyOf(names);
        policies.named(wanted);
        synchronized (storing) {
            store(ACTIVE, String.join(",", wanted), now -> now.policies.equals(wanted));
            policies.select(wanted, "selected again"); // the list already in force changes no configuration
        }
    }

    /** Stores a value and waits until Configuration Admin has handed it to {@link #modified}. */
    private void store(String key, String value, Predicate<Settings> inForce) {
        ConfigurationAdmin admin = configurationAdmin;
        if (admin == null) {
            throw new IllegalStateException(
                    key + " is unchanged: Configuration Admin, which keeps it, is not running; start it");
        }
        String what = key + " = " + value;
        change(admin, what, configuration -> {
            // Again where FileInstall had just read the file of an earlier change, and went back to that.
            for (int i = 0; i < TRIES && !isStored(configuration, key, value); i++) {
                configuration.updateIfDifferent(with(configuration, key, value));
            }
        });
        for (int stored = 1; !isInForceWithin(STORE_AGAIN_MILLIS, inForce); stored++) {
            if (stored == STORINGS) {
                throw new IllegalStateException(
                        what + " was stored, but is not in force after 2 s: look for Configuration Admin in the log");
            }
            // SCR reads the values before the change count: of two changes in a row it may never see the second.
            change(admin, what, configuration -> configuration.update(with(configuration, key, value)));
        }
    }

    private interface Change {
        void make(Configuration configuration) throws IOException;
    }

    private static void change(ConfigurationAdmin admin, String what, Change change) {
        try {
            change.make(admin.getConfiguration(PID, "?"));
        } catch (IOException e) {
            throw new IllegalStateException(
                    what + " of " + PID + " cannot be stored: " + e + "; make the framework's storage writable", e);
        } catch (IllegalStateException e) {
            throw new IllegalStateException(
                    what + " of " + PID + " is not stored: Configuration Admin, which keeps it, is being stopped; start it", e);
        }
    }

    private static boolean isStored(Configuration configuration, String key, String value) {
        Dictionary<String, Object> properties = configuration.getProperties();
        return properties != null && value.equals(properties.get(key));
    }

    /** What is configured, with one value changed: one of the others names the file that the change is written to. */
    private static Dictionary<String, Object> with(Configuration configuration, String key, String value) {
        Dictionary<String, Object> properties = configuration.getProperties();
        if (properties == null) {
            properties = new Hashtable<>();
        }
        properties.put(key, value);
        return properties;
    }

    private synchronized boolean isInForceWithin(long millis, Predicate<Settings> inForce) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        while (!inForce.test(settings)) {
            long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
            if (left <= 0) {
                return false;
            }
            try {
                wait(left);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while waiting for a change of " + PID + " to be in force", e);
            }
        }
        return true;
    }

    @Override
    public List<Difference> compare(List<String> names, int limit) {
        if (limit < 1 || limit > MAX_DIFFERENCES) {
            throw new IllegalArgumentException("limit " + limit + " is out of range: 1 to " + MAX_DIFFERENCES);
        }
        List<InstalledPolicy> others = policies.named(names);
        return worker().call("comparing with " + names, calls -> sweeps.compare(others, limit, calls));
    }

    @Override
    public int sweepNow() {
        if (!sweeps.hasTables()) {
            throw new IllegalStateException("nothing was swept: no flow table is running; start one first");
        }
        return worker().call("a sweep", this::sweep);
    }
}
