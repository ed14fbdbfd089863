// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;
import org.osgi.service.cm.ConfigurationPlugin;

/**
 * Replaces invalid values by the last good ones before a component sees them: SCR would swallow what the component says
 * of them, and its service would show the bad value. Guards a configuration also while its policy is not there, or the
 * policy could not come back. Thread-safe.
 */
final class ConfigurationGuard implements ConfigurationPlugin {
    private static final Logger LOG = System.getLogger(ConfigurationGuard.class.getName());

    private final Map<String, Guarded> guarded = new ConcurrentHashMap<>();

    private static final class Guarded {
        final String target;
        final List<Setting> settings;
        final Map<String, String> lastGood = new HashMap<>();
        volatile String problem = "";

        Guarded(String target, List<Setting> settings) {
            this.target = target;
            this.settings = settings;
        }

        synchronized void mend(String pid, Dictionary<String, Object> properties) {
            List<String> problems = new ArrayList<>();
            for (Setting setting : settings) {
                Object value = properties.get(setting.id());
                if (value == null || setting.array()) {
                    continue;
                }
                String text = Setting.text(value);
                try {
                    setting.parse(text);
                    lastGood.put(setting.id(), text);
                } catch (IllegalArgumentException e) {
                    problems.add(e.getMessage() + "; " + replace(properties, setting));
                }
            }
            String now = String.join(". ", problems);
            if (!now.isEmpty() && !now.equals(problem)) {
                LOG.log(Level.WARNING, "configuration " + pid + ": " + now);
            }
            problem = now;
        }

        private String replace(Dictionary<String, Object> properties, Setting setting) {
            String good = lastGood.getOrDefault(setting.id(), setting.defaultText());
            if (good == null) {
                properties.remove(setting.id());
                return "it is left out";
            }
            properties.put(setting.id(), good);
            return (setting.isReadable() ? good : "the old one") + " stays in force";
        }
    }

    /**
     * Guards a configuration from now on.
     *
     * @param target by what Configuration Admin names it to plugins: its PID, or its factory's
     * @param settings what is allowed
     */
    void add(String pid, String target, List<Setting> settings) {
        guarded.compute(pid, (same, known) -> known != null && known.settings.equals(settings) ? known
                : new Guarded(target, settings));
    }

    /** What the guarded configurations are named to plugins, sorted. */
    String[] targets() {
        return guarded.values().stream().map(each -> each.target).distinct().sorted().toArray(String[]::new);
    }

    /** What is wrong with a configuration, and what is in force instead; empty when all is well. */
    String problem(String pid) {
        Guarded known = pid == null ? null : guarded.get(pid);
        return known == null ? "" : known.problem;
    }

    @Override
    public void modifyConfiguration(ServiceReference<?> reference, Dictionary<String, Object> properties) {
        Object pid = properties.get(Constants.SERVICE_PID);
        Guarded known = pid == null ? null : guarded.get(pid.toString());
        if (known != null) {
            known.mend(pid.toString(), properties);
        }
    }
}
