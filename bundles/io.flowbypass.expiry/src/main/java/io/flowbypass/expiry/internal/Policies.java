// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.expiry.internal;

import io.flowbypass.policy.ExpiryPolicy;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.osgi.framework.Constants;

/**
 * The installed policies, which of them are selected, and which are quarantined. Thread-safe; announces every change of
 * the active list once it was {@linkplain #start started}.
 */
final class Policies {
    /** Service property with a policy's name. */
    static final String NAME = "flowbypass.policy.name";
    /** Sweeps in a row in which a policy may fail. */
    static final int MAX_FAILED_SWEEPS = 3;

    private static final Logger LOG = System.getLogger(Policies.class.getName());

    private final Notices notices;
    private final Map<Long, InstalledPolicy> installed = new HashMap<>();
    private final Map<InstalledPolicy, Integer> failedSweeps = new HashMap<>();
    private final Set<InstalledPolicy> quarantined = new HashSet<>();
    private List<String> selected = List.of();
    private List<InstalledPolicy> active = List.of();
    private boolean started;

    Policies(Notices notices) {
        this.notices = notices;
    }

    /** A policy came, or its service properties changed: what it did before is forgotten. */
    synchronized void add(ExpiryPolicy service, Map<String, ?> properties) {
        long id = (Long) properties.get(Constants.SERVICE_ID);
        InstalledPolicy before = forget(id);
        if (!(properties.get(NAME) instanceof String name) || name.isBlank() || name.contains(",")) {
            LOG.log(Level.WARNING, "policy " + service.getClass().getName() + " is not used: its service property " + NAME
                    + " is " + properties.get(NAME) + "; annotate it with @PolicyName(\"...\"), without a comma");
            changed("service " + id + " has no name any more");
            return;
        }
        int ranking = properties.get(Constants.SERVICE_RANKING) instanceof Integer number ? number : 0;
        InstalledPolicy policy = new InstalledPolicy(name.strip(), ranking, id, service);
        installed.put(id, policy);
        installed.values().stream().filter(other -> other != policy && other.name().equals(policy.name()))
                .forEach(other -> LOG.log(Level.WARNING, duplicate(policy, other)));
        changed(policy.name() + (before == null ? " was added" : " was reconfigured"));
    }

    private static String duplicate(InstalledPolicy one, InstalledPolicy other) {
        boolean firstWins = InstalledPolicy.BEST_FIRST.compare(one, other) < 0;
        return "two policies are named " + one.name() + ": " + (firstWins ? one : other) + " is used, "
                + (firstWins ? other : one) + " is not; rename or uninstall one of them";
    }

    synchronized void remove(Map<String, ?> properties) {
        InstalledPolicy gone = forget((Long) properties.get(Constants.SERVICE_ID));
        if (gone != null) {
            changed(gone.name() + " was removed"
                    + (usable().containsKey(gone.name()) ? ", another of that name is used" : ""));
        }
    }

    private InstalledPolicy forget(long id) {
        InstalledPolicy gone = installed.remove(id);
        failedSweeps.remove(gone);
        quarantined.remove(gone);
        return gone;
    }

    /** Announces from now on; the first announcement is the list that expiry starts with. */
    synchronized void start(List<String> names) {
        selected = List.copyOf(names);
        started = true;
        active = List.of();
        changed("expiry started");
    }

    /** Selects policies by name, none meaning all; frees them from quarantine. Those not installed join when they are. */
    synchronized void select(List<String> names, String why) {
        selected = List.copyOf(names);
        installed.values().stream().filter(this::isSelected).forEach(policy -> {
            quarantined.remove(policy);
            failedSweeps.remove(policy);
        });
        List<String> missing = names.stream().filter(name -> !availableNames().contains(name)).toList();
        if (!missing.isEmpty()) {
            LOG.log(Level.INFO, "selected, but not installed: {0}; they join when they are installed", missing);
        }
        changed(why);
    }

    /**
     * The policies of these names.
     *
     * @throws IllegalArgumentException when one is not installed or stands twice
     */
    synchronized List<InstalledPolicy> named(List<String> names) {
        Map<String, InstalledPolicy> usable = usable();
        Set<String> seen = new HashSet<>();
        List<InstalledPolicy> found = new ArrayList<>();
        for (String name : names) {
            if (!usable.containsKey(name)) {
                throw new IllegalArgumentException(
                        "no policy is named \"" + name + "\": installed are " + usable.keySet());
            }
            if (!seen.add(name)) {
                throw new IllegalArgumentException("policy \"" + name + "\" stands twice in " + names + ": name it once");
            }
            found.add(usable.get(name));
        }
        return found;
    }

    /** What the next sweep uses, in order. */
    synchronized List<InstalledPolicy> active() {
        return active;
    }

    synchronized List<String> availableNames() {
        return List.copyOf(usable().keySet());
    }

    synchronized List<String> quarantinedNames() {
        return names(quarantined.stream().sorted(InstalledPolicy.BEST_FIRST).toList());
    }

    static List<String> names(List<InstalledPolicy> policies) {
        return policies.stream().map(InstalledPolicy::name).toList();
    }

    /** After a sweep: counts the failures in a row and quarantines who failed too often. */
    synchronized void judge(List<InstalledPolicy> asked, Map<InstalledPolicy, String> failures, long sweep) {
        for (InstalledPolicy policy : asked) {
            String failure = failures.get(policy);
            if (failure == null) {
                failedSweeps.remove(policy);
            } else if (installed.containsValue(policy)) {
                int times = failedSweeps.merge(policy, 1, Integer::sum);
                LOG.log(Level.WARNING, "policy " + policy + " kept every flow for the rest of sweep " + sweep + ": its "
                        + failure + " (" + times + " of " + MAX_FAILED_SWEEPS + " sweeps in a row)");
                if (times >= MAX_FAILED_SWEEPS) {
                    quarantine(policy, "failed in " + times + " sweeps in a row, at last its " + failure);
                }
            }
        }
    }

    /** Asks a policy no more until it is registered, reconfigured or selected again. */
    synchronized void quarantine(InstalledPolicy policy, String why) {
        if (installed.containsValue(policy) && quarantined.add(policy)) {
            failedSweeps.remove(policy);
            notices.quarantined(policy.name(), "policy " + policy + " is in quarantine because it " + why
                    + "; mend it and install, reconfigure or select it again");
            changed(policy.name() + " was quarantined");
        }
    }

    private boolean isSelected(InstalledPolicy policy) {
        return selected.isEmpty() || selected.contains(policy.name());
    }

    /** The installed policies by name, best first; of two with one name the better. */
    private Map<String, InstalledPolicy> usable() {
        Map<String, InstalledPolicy> byName = new LinkedHashMap<>();
        installed.values().stream().sorted(InstalledPolicy.BEST_FIRST)
                .forEach(policy -> byName.putIfAbsent(policy.name(), policy));
        return byName;
    }

    private void changed(String why) {
        List<InstalledPolicy> before = active;
        Map<String, InstalledPolicy> usable = usable();
        active = (selected.isEmpty() ? List.copyOf(usable.keySet()) : selected).stream().filter(usable::containsKey)
                .map(usable::get).filter(policy -> !quarantined.contains(policy)).toList();
        if (started && !ids(before).equals(ids(active))) {
            notices.swapped(names(before), names(active), why);
        }
    }

    private static List<Long> ids(List<InstalledPolicy> policies) {
        return policies.stream().map(InstalledPolicy::id).toList();
    }
}
