// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import io.flowbypass.policy.ExpiryPolicy;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.management.ObjectName;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.cm.ConfigurationPlugin;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.component.runtime.dto.ComponentDescriptionDTO;

/**
 * Shows the configuration of every policy as an MBean, from its Metatype: no policy knows JMX, and this knows no policy.
 * Of several services with one name the best has the MBean. Thread-safe.
 */
@Component(immediate = true, service = {})
public final class PolicyBridge {
    private static final Logger LOG = System.getLogger(PolicyBridge.class.getName());
    private static final String POLICY_NAME = "flowbypass.policy.name";
    private static final String FACTORY_PID = "service.factoryPid";
    private static final String COMPONENT_NAME = "component.name";
    private static final String IGNORE = "ignore";
    private static final long STORE_AGAIN_MILLIS = 500;
    /** Storings, not time: a JVM that was stopped for a while has had no chance. */
    private static final int STORINGS = 4;

    private final BundleContext context;
    private final ServiceComponentRuntime components;
    private final Path directory;
    private final ConfigurationGuard guard = new ConfigurationGuard();
    private final Object storing = new Object();
    private final List<ServiceReference<ExpiryPolicy>> policies = new ArrayList<>();
    private final Map<String, Bridged> bridged = new HashMap<>();
    private ServiceRegistration<ConfigurationPlugin> plugin;
    private ConfigurationAdmin configurationAdmin;

    /** One policy with its MBean. */
    private final class Bridged implements PolicyMBean.Values {
        final String policy;
        final ServiceReference<ExpiryPolicy> service;
        final ObjectName mbean;
        /** Null where it cannot be configured. */
        final String pid;
        final String target;
        final Metatype metatype;
        private final ExpiryPolicy object;

        Bridged(String policy, ServiceReference<ExpiryPolicy> service) {
            this.policy = policy;
            this.service = service;
            mbean = MBeans.name("type=Policy,name=" + (policy.matches("[\\w. -]+") ? policy : ObjectName.quote(policy)));
            pid = pid(service);
            target = service.getProperty(FACTORY_PID) instanceof String factory ? factory : pid;
            metatype = pid == null ? Metatype.NONE : Metatype.of(service.getBundle(), target);
            object = context.getService(service);
        }

        /** Lets go of the policy. */
        void release() {
            context.ungetService(service);
        }

        @Override
        public Object inForce(Setting setting) {
            return PolicyBridge.this.inForce(policy, setting);
        }

        @Override
        public void store(Setting setting, String value) {
            PolicyBridge.this.store(policy, pid, setting, value);
            ConfigurationFiles.confirm(setting.id() + " of policy " + policy);
        }

        @Override
        public String problem() {
            return guard.problem(pid);
        }

        @Override
        public Map<String, Double> readings() {
            if (object == null) {
                return Map.of();
            }
            try {
                return Map.copyOf(object.readings());
            } catch (RuntimeException | LinkageError broken) {
                LOG.log(Level.DEBUG, "policy " + policy + " does not say how it is", broken);
                return Map.of();
            }
        }
    }

    /** For the policies of this framework. */
    @Activate
    public PolicyBridge(BundleContext context, @Reference ServiceComponentRuntime components) {
        this.context = context;
        this.components = components;
        String directories = context.getProperty("felix.fileinstall.dir");
        directory = directories == null ? null : Path.of(directories.split(",")[0].strip());
    }

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    synchronized void setConfigurationAdmin(ConfigurationAdmin admin) {
        configurationAdmin = admin;
        bridged.values().stream().filter(this::isBad).forEach(this::handOutAgain);
    }

    synchronized void unsetConfigurationAdmin(ConfigurationAdmin gone) {
        if (configurationAdmin == gone) { // a replacement comes first
            configurationAdmin = null;
        }
    }

    @Reference(service = ExpiryPolicy.class, cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC, updated = "updatedPolicy")
    void addPolicy(ServiceReference<ExpiryPolicy> policy) {
        change(() -> policies.add(policy));
    }

    void updatedPolicy(ServiceReference<ExpiryPolicy> policy) {
        change(() -> { });
    }

    void removePolicy(ServiceReference<ExpiryPolicy> policy) {
        change(() -> policies.remove(policy));
    }

    @Deactivate
    void stop() {
        change(policies::clear);
        synchronized (this) {
            if (plugin != null) {
                plugin.unregister();
                plugin = null;
            }
        }
    }

    private void change(Runnable change) {
        List<Bridged> gone;
        synchronized (this) {
            change.run();
            gone = refresh();
        }
        // Without the lock: SCR may hold its own of that policy, and wait for ours to tell of a change of it.
        gone.forEach(Bridged::release);
    }

    /** Brings the MBeans in line with the services; returns the policies that are bridged no more. */
    private List<Bridged> refresh() {
        Map<String, ServiceReference<ExpiryPolicy>> best = new HashMap<>();
        for (ServiceReference<ExpiryPolicy> service : policies) {
            if (service.getProperty(POLICY_NAME) instanceof String name && service.getBundle() != null) {
                best.merge(name, service, (one, other) -> one.compareTo(other) > 0 ? one : other);
            }
        }
        List<Bridged> gone = bridged.values().stream().filter(old -> !old.service.equals(best.get(old.policy))).toList();
        gone.forEach(old -> {
            bridged.remove(old.policy);
            MBeans.unregister(old.mbean);
        });
        List<Bridged> fresh = best.entrySet().stream().filter(each -> !bridged.containsKey(each.getKey()))
                .map(each -> new Bridged(each.getKey(), each.getValue())).toList();
        fresh.forEach(this::bridge);
        if (!fresh.isEmpty()) {
            publishGuard();
        }
        fresh.stream().filter(this::isBad).forEach(this::handOutAgain);
        notifyAll();
        return gone;
    }

    private void bridge(Bridged policy) {
        bridged.put(policy.policy, policy);
        MBeans.register(new PolicyMBean(policy.policy, policy.metatype, policy), policy.mbean);
        if (policy.pid != null) {
            guard.add(policy.pid, policy.target, policy.metatype.settings());
        }
    }

    /** Tells Configuration Admin which configurations the guard looks at. */
    private void publishGuard() {
        String[] targets = guard.targets();
        Dictionary<String, Object> properties = new Hashtable<>();
        properties.put(ConfigurationPlugin.CM_TARGET, targets);
        if (plugin == null && targets.length > 0) { // without a target it would be asked for every configuration
            plugin = context.registerService(ConfigurationPlugin.class, guard, properties);
        } else if (plugin != null && !Arrays.equals(targets,
                (String[]) plugin.getReference().getProperty(ConfigurationPlugin.CM_TARGET))) {
            plugin.setProperties(properties);
        }
    }

    /** Whether the service shows a bad value: it was configured before the guard was there. */
    private boolean isBad(Bridged policy) {
        return policy.metatype.settings().stream().filter(setting -> !setting.array()).anyMatch(setting -> {
            Object value = policy.service.getProperty(setting.id());
            return value != null && !setting.allows(Setting.text(value));
        });
    }

    /** Lets the configuration pass through the guard. */
    private void handOutAgain(Bridged policy) {
        if (configurationAdmin == null) {
            return;
        }
        try {
            Configuration configuration = configurationAdmin.getConfiguration(policy.pid, "?");
            configuration.update(configuration.getProperties());
        } catch (IOException e) {
            LOG.log(Level.WARNING, "configuration " + policy.pid + " has invalid values and cannot be mended", e);
        }
    }

    /** The PID that a service is configured by, or null. */
    private String pid(ServiceReference<?> service) {
        String own = service.getProperty(Constants.SERVICE_PID) instanceof String pid ? pid : null;
        if (own != null && service.getProperty(FACTORY_PID) != null) {
            return own;
        }
        if (service.getProperty(COMPONENT_NAME) instanceof String name) {
            ComponentDescriptionDTO component = components.getComponentDescriptionDTO(service.getBundle(), name);
            if (component != null) {
                return IGNORE.equals(component.configurationPolicy) ? null
                        : Stream.of(component.configurationPid).findFirst().orElse(null);
            }
        }
        return own;
    }

    private synchronized Object inForce(String policy, Setting setting) {
        Bridged now = bridged.get(policy);
        return now == null ? null : now.service.getProperty(setting.id());
    }

    private void store(String policy, String pid, Setting setting, String value) {
        ConfigurationAdmin admin;
        synchronized (this) {
            admin = configurationAdmin;
        }
        if (admin == null) {
            throw new IllegalStateException(setting.id() + " of policy " + policy
                    + " is unchanged: Configuration Admin, which keeps it, is not running; start it");
        }
        synchronized (storing) {
            StoredConfiguration configuration = new StoredConfiguration(pid, directory);
            configuration.set(admin, setting.id(), value);
            if (!setting.isReadable()) {
                return;
            }
            for (int stored = 1; !isInForceWithin(STORE_AGAIN_MILLIS, policy, setting, value); stored++) {
                if (stored == STORINGS) {
                    throw new IllegalStateException(setting.id() + " = " + value + " of policy " + policy
                            + " was stored, but is not in force after 2 s: look in the log for what the policy says");
                }
                configuration.setAgain(admin, setting.id(), value);
            }
        }
    }

    private synchronized boolean isInForceWithin(long millis, String policy, Setting setting, String value) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        while (!value.equals(Setting.text(inForce(policy, setting)))) {
            long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
            if (left <= 0) {
                return false;
            }
            try {
                wait(left);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(
                        "interrupted while waiting for " + setting.id() + " of policy " + policy, e);
            }
        }
        return true;
    }
}
