// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/**
 * Changes one value of a configuration and keeps the others, so that FileInstall rewrites the {@code .cfg} file with its
 * comments. A configuration without a file gets one.
 */
final class StoredConfiguration {
    /** Where FileInstall notes the file of a configuration: its URL as {@link java.io.File#toURI()} writes it. */
    static final String FILE = "felix.fileinstall.filename";

    private final String pid;
    private final Path directory;

    /**
     * The configuration of a PID, or of a factory's instance as {@code pid~name}.
     *
     * @param directory where FileInstall looks for files; null for none
     */
    StoredConfiguration(String pid, Path directory) {
        this.pid = pid;
        this.directory = directory;
    }

    /**
     * Sets a value.
     *
     * @throws IllegalStateException when it cannot be stored
     */
    void set(ConfigurationAdmin admin, String key, String value) {
        try {
            Configuration configuration = admin.getConfiguration(pid, "?");
            Dictionary<String, Object> properties = configuration.getProperties();
            if (properties == null) {
                properties = new Hashtable<>();
            }
            properties.put(key, value);
            if (properties.get(FILE) == null && directory != null) {
                Path file = directory.resolve(pid.replace('~', '-') + ".cfg");
                if (Files.notExists(file)) {
                    Files.write(file, lines(properties));
                }
                properties.put(FILE, file.toFile().getAbsoluteFile().toURI().toString());
            }
            configuration.updateIfDifferent(properties);
        } catch (IOException e) {
            throw new IllegalStateException(key + " = " + value + " of " + pid + " cannot be stored: " + e
                    + "; make " + directory + " and the framework's storage writable", e);
        }
    }

    private static List<String> lines(Dictionary<String, Object> properties) {
        return Collections.list(properties.keys()).stream()
                .filter(key -> !key.startsWith("service.") && !key.startsWith("felix."))
                .sorted()
                .map(key -> key + " = " + properties.get(key).toString().replace("\\", "\\\\"))
                .toList();
    }
}
