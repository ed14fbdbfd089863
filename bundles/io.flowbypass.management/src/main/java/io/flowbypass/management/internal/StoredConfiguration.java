// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Dictionary;
import java.util.Hashtable;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/**
 * Changes one value of a configuration and keeps the others, of which one names its file. A configuration without a file
 * is given one, which {@link ConfigurationFiles} writes.
 */
final class StoredConfiguration {
    private static final int TRIES = 3;

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
        change(admin, key, value, configuration -> {
            for (int i = 0; i < TRIES && !isSet(configuration, key, value); i++) {
                configuration.updateIfDifferent(with(configuration, key, value));
            }
        });
    }

    /**
     * Sets a value that is set already, so that the component is told once more: SCR reads the values before the change
     * count, and of two changes in a row may never see the second.
     *
     * @throws IllegalStateException when it cannot be stored
     */
    void setAgain(ConfigurationAdmin admin, String key, String value) {
        change(admin, key, value, configuration -> configuration.update(with(configuration, key, value)));
    }

    private interface Change {
        void make(Configuration configuration) throws IOException;
    }

    private void change(ConfigurationAdmin admin, String key, String value, Change change) {
        try {
            change.make(admin.getConfiguration(pid, "?"));
        } catch (IOException e) {
            throw new IllegalStateException(key + " = " + value + " of " + pid + " cannot be stored: " + e
                    + "; make the framework's storage writable", e);
        } catch (IllegalStateException e) {
            throw new IllegalStateException(key + " = " + value + " of " + pid
                    + " is not stored: Configuration Admin, which keeps it, is being stopped; start it", e);
        }
    }

    /** Not so where FileInstall had just read the file of an earlier change, and went back to that. */
    private static boolean isSet(Configuration configuration, String key, String value) {
        Dictionary<String, Object> properties = configuration.getProperties();
        return properties != null && value.equals(properties.get(key));
    }

    private Dictionary<String, Object> with(Configuration configuration, String key, String value) {
        Dictionary<String, Object> properties = configuration.getProperties();
        if (properties == null) {
            properties = new Hashtable<>();
        }
        properties.put(key, value);
        if (properties.get(ConfigurationFiles.FILE) == null && directory != null && canStandInFile(properties)) {
            Path file = directory.resolve(pid.replace('~', '-') + ".cfg");
            properties.put(ConfigurationFiles.FILE, file.toFile().getAbsoluteFile().toURI().toString());
        }
        return properties;
    }

    /** FileInstall would take out of the configuration what the file lacks. */
    private static boolean canStandInFile(Dictionary<String, Object> properties) {
        return Collections.list(properties.elements()).stream().allMatch(ConfigurationText::canHold);
    }
}
