// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Collections;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.cm.ConfigurationEvent;
import org.osgi.service.cm.SynchronousConfigurationListener;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * Writes what changes at run time to the file that the configuration came from, so that it holds after a restart.
 * FileInstall would truncate and rewrite a file after every change, even one that it has just read there, and may read it
 * meanwhile: its {@code enableConfigSave} is off, and this replaces a file in one step, where a value differs. Where that is
 * on, as it is in Karaf, a file that is there is left to FileInstall: this could read it half written, and keep only that.
 *
 * <p>What FileInstall itself changes or deletes touches no file: where it read a file just before that was replaced, the
 * file is right, and FileInstall reads it again at its next look.
 *
 * <p>Listens synchronously: whoever changes a configuration finds the change in the file when that returns. Thread-safe.
 */
@Component(immediate = true, service = SynchronousConfigurationListener.class)
public final class ConfigurationFiles implements SynchronousConfigurationListener {
    /** Where FileInstall notes the file of a configuration: its URL as {@link java.io.File#toURI()} writes it. */
    static final String FILE = "felix.fileinstall.filename";

    private static final String FILE_INSTALL = "org.apache.felix.fileinstall.";
    private static final Logger LOG = System.getLogger(ConfigurationFiles.class.getName());
    private static final Set<String> NOT_IN_FILE =
            Set.of(FILE, Constants.SERVICE_PID, ConfigurationAdmin.SERVICE_FACTORYPID, "service.bundleLocation");

    private final ConfigurationAdmin admin;
    private final boolean fileInstallSaves;
    private final Map<String, Seen> seen = new HashMap<>();

    /**
     * A configuration that has a file, when it was last looked at.
     *
     * @param values of the configuration, without what never stands in a file
     * @param exists whether the file was there
     */
    private record Seen(Path file, Map<String, Object> values, boolean exists) {
        String text(String key) {
            return values.containsKey(key) ? Setting.text(values.get(key)) : null;
        }
    }

    /** Takes the configurations as they are. */
    @Activate
    public ConfigurationFiles(BundleContext context, @Reference ConfigurationAdmin admin) throws IOException {
        this.admin = admin;
        fileInstallSaves = !"false".equalsIgnoreCase(context.getProperty("felix.fileinstall.enableConfigSave"));
        for (Configuration configuration : list(null)) {
            look(configuration.getPid(), configuration.getProperties());
        }
    }

    /**
     * Says that a change that was just made is in its file, as far as it can be: Configuration Admin tells a bundle that is
     * being stopped of nothing any more, while its MBeans are still there.
     *
     * @throws IllegalStateException when it may not be there
     */
    static void confirm(String change) {
        Bundle own = FrameworkUtil.getBundle(ConfigurationFiles.class);
        if (own != null && own.getState() != Bundle.ACTIVE) {
            throw new IllegalStateException(change + " may be lost at the next start: " + own.getSymbolicName()
                    + " is being stopped, so it was not written to its file; set it again when that is started");
        }
    }

    @Override
    public synchronized void configurationEvent(ConfigurationEvent event) {
        String pid = event.getPid();
        try {
            if (event.getType() == ConfigurationEvent.CM_DELETED) {
                Seen gone = seen.remove(pid);
                if (gone != null && !isFileInstall()) {
                    delete(gone.file);
                }
            } else if (event.getType() == ConfigurationEvent.CM_UPDATED) {
                for (Configuration configuration : list("(service.pid=" + pid.replaceAll("[\\\\*()]", "\\\\$0") + ")")) {
                    Seen before = seen.get(pid);
                    look(pid, configuration.getProperties());
                    if (seen.containsKey(pid) && !isFileInstall()) {
                        updated(pid, before, seen.get(pid));
                    }
                }
            }
        } catch (IOException | IllegalStateException e) { // the latter where Configuration Admin or this is being stopped
            LOG.log(Level.WARNING, "configuration " + pid + " cannot be read, so its file may not show its last change: " + e);
        }
    }

    /** Whether FileInstall makes the change that this thread tells of. */
    private static boolean isFileInstall() {
        return StackWalker.getInstance()
                .walk(frames -> frames.anyMatch(frame -> frame.getClassName().startsWith(FILE_INSTALL)));
    }

    private List<Configuration> list(String filter) throws IOException {
        try {
            Configuration[] found = admin.listConfigurations(filter);
            return found == null ? List.of() : List.of(found);
        } catch (InvalidSyntaxException e) {
            throw new AssertionError("the filter of a PID", e);
        }
    }

    private void look(String pid, Dictionary<String, Object> properties) {
        if (properties == null || !(properties.get(FILE) instanceof String url) || !url.startsWith("file:")
                || !url.endsWith(".cfg")) {
            seen.remove(pid);
            return;
        }
        Map<String, Object> values = new TreeMap<>();
        Collections.list(properties.keys()).stream().filter(key -> !NOT_IN_FILE.contains(key))
                .forEach(key -> values.put(key, properties.get(key)));
        Path file;
        try {
            file = Path.of(URI.create(url));
        } catch (IllegalArgumentException e) {
            LOG.log(Level.WARNING, FILE + " of " + pid + " names no file, so changes at run time are not kept: " + e);
            seen.remove(pid);
            return;
        }
        seen.put(pid, new Seen(file, values, Files.exists(file)));
    }

    private void updated(String pid, Seen before, Seen now) {
        boolean same = before != null && before.file.equals(now.file);
        if (!now.exists) {
            if (!same || !before.exists) { // otherwise it was removed, and FileInstall deletes the configuration
                create(pid, now);
            }
        } else if (!fileInstallSaves) {
            change(pid, same ? before : new Seen(now.file, Map.of(), true), now);
        }
    }

    /** Writes what has changed. */
    private void change(String pid, Seen before, Seen now) {
        Set<String> keys = new TreeSet<>(before.values.keySet());
        keys.addAll(now.values.keySet());
        keys.removeIf(key -> Objects.equals(before.text(key), now.text(key)));
        if (keys.isEmpty()) {
            return;
        }
        try {
            ConfigurationText old = read(now.file);
            Map<String, String> inFile = old.values();
            keys.removeIf(key -> Objects.equals(inFile.get(key), now.text(key)));
            ConfigurationText text = old;
            for (String key : keys) {
                try {
                    text = text.with(key, now.values.get(key));
                } catch (IOException e) {
                    LOG.log(Level.WARNING, key + " of " + pid + " holds until a restart, but cannot be written to "
                            + now.file + ": " + e.getMessage());
                }
            }
            if (!text.equals(old)) {
                replace(now.file, text);
            }
        } catch (IOException e) {
            LOG.log(Level.WARNING, keys + " of " + pid + " hold until a restart, but cannot be written to " + now.file + ": "
                    + e + "; make it and its directory writable");
        }
    }

    private void create(String pid, Seen now) {
        try {
            ConfigurationText text = ConfigurationText.EMPTY;
            for (Map.Entry<String, Object> value : now.values.entrySet()) {
                text = text.with(value.getKey(), value.getValue());
            }
            replace(now.file, text);
            seen.put(pid, new Seen(now.file, now.values, true));
        } catch (IOException e) {
            LOG.log(Level.WARNING, pid + " holds, but its file " + now.file + " cannot be written: " + e
                    + "; make its directory writable");
        }
    }

    /** Or it would be read again. */
    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            LOG.log(Level.WARNING, file + " cannot be deleted, so its configuration comes back at the next start: " + e
                    + "; delete it");
        }
    }

    private static ConfigurationText read(Path file) throws IOException {
        return new ConfigurationText(Files.readString(file, StandardCharsets.ISO_8859_1));
    }

    /** In one step, so that nobody ever reads a part; a link to the file stays one. */
    private static void replace(Path link, ConfigurationText text) throws IOException {
        Path file = Files.exists(link) ? link.toRealPath() : link;
        Path fresh = file.resolveSibling(file.getFileName() + ".new");
        try {
            Files.deleteIfExists(fresh);
            PosixFileAttributeView old = Files.getFileAttributeView(file, PosixFileAttributeView.class);
            if (old == null || Files.notExists(file)) {
                Files.createFile(fresh);
            } else {
                PosixFileAttributes attributes = old.readAttributes();
                Files.createFile(fresh, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
                own(Files.getFileAttributeView(fresh, PosixFileAttributeView.class), attributes);
            }
            Files.writeString(fresh, text.text(), StandardCharsets.ISO_8859_1);
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(fresh);
        }
    }

    private static void own(PosixFileAttributeView fresh, PosixFileAttributes as) throws IOException {
        if (!fresh.getOwner().equals(as.owner())) {
            fresh.setOwner(as.owner());
        }
        if (!fresh.readAttributes().group().equals(as.group())) {
            fresh.setGroup(as.group());
        }
        fresh.setPermissions(as.permissions());
    }
}
