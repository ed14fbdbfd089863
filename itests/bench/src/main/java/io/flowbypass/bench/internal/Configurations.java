// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import java.io.IOException;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.Map;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/** The configurations of the Flowbypass that runs this bench. Thread-safe. */
record Configurations(ConfigurationAdmin admin) {
    static final String EXPIRY = "io.flowbypass.expiry";
    static final String INTERVAL = "sweep.interval.millis";
    /** Where it stands FileInstall may set the configuration back to an earlier change, whose file it has just read. */
    private static final String FILE = "felix.fileinstall.filename";
    /** Longer than a bench takes. */
    static final String AN_HOUR = "3600000";

    /** Sets a value of a configuration that there is; returns the one before. */
    Object set(String pid, String name, Object value) throws IOException {
        return set(pid, Map.of(name, value)).get(name);
    }

    /** Sets values of a configuration that there is, and of none in a file; returns those before. */
    Map<String, Object> set(String pid, Map<String, Object> values) throws IOException {
        Configuration configuration = admin.getConfiguration(pid, "?");
        Dictionary<String, Object> properties = configuration.getProperties();
        if (properties == null) {
            throw new IOException("There is no configuration " + pid + ".");
        }
        Map<String, Object> before = new HashMap<>();
        values.forEach((name, value) -> before.put(name, properties.put(name, value)));
        properties.remove(FILE);
        configuration.update(properties);
        return before;
    }
}
