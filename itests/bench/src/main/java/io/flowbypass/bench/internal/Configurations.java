// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import java.io.IOException;
import java.util.Dictionary;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/** The configurations of the Flowbypass that runs this bench. Thread-safe. */
record Configurations(ConfigurationAdmin admin) {
    static final String EXPIRY = "io.flowbypass.expiry";
    static final String INTERVAL = "sweep.interval.millis";
    /** Longer than a bench takes. */
    static final String AN_HOUR = "3600000";

    /** Sets a value of a configuration that there is; returns the one before. */
    Object set(String pid, String name, Object value) throws IOException {
        Configuration configuration = admin.getConfiguration(pid, "?");
        Dictionary<String, Object> properties = configuration.getProperties();
        if (properties == null) {
            throw new IOException("There is no configuration " + pid + ".");
        }
        Object before = properties.put(name, value);
        configuration.update(properties);
        return before;
    }
}
