// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Hashtable;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/** Attaches and detaches interfaces by their configurations, and waits to see what becomes of it. Thread-safe. */
public final class Attachments {
    /** Where FileInstall notes the file of a configuration. */
    private static final String FILE = "felix.fileinstall.filename";
    private static final String INTERFACE = "interface";
    private static final String MODE = "mode";
    private static final int WAIT_SECONDS = 5;
    private static final long LOOK_MILLIS = 20;

    private final ConfigurationAdmin admin;
    private final DataPlane dataPlane;

    /**
     * Those of a data plane.
     *
     * @param admin null when there is none
     * @throws IllegalStateException when there is none
     */
    public Attachments(ConfigurationAdmin admin, DataPlane dataPlane) {
        if (admin == null) {
            throw new IllegalStateException("interfaces cannot be attached or detached: Configuration Admin, which keeps"
                    + " the list of interfaces, is not running; start it");
        }
        this.admin = admin;
        this.dataPlane = dataPlane;
    }

    /**
     * Creates an interface's configuration, and waits at most 5 s until XDP runs on it.
     *
     * @param name of the network interface
     * @param mode native or generic; empty for the default
     * @return how it is attached, in a sentence
     * @throws IllegalArgumentException when the name is empty
     * @throws IllegalStateException when it is configured already, or cannot be attached; nothing is left then
     */
    public String attach(String name, String mode) {
        if (name.isEmpty()) {
            throw new IllegalArgumentException("an empty name is no interface: give a name such as eth1");
        }
        try {
            if (!find(name).isEmpty()) {
                throw new IllegalStateException(name + " is configured already" + shown(name)
                        + ": detach it first to attach it in another way");
            }
            // Not by a name that a file may have: what FileInstall makes of a file, it deletes within seconds after the file
            // is gone, such as by a detach just before.
            Configuration configuration = admin.createFactoryConfiguration(DataPlane.INTERFACE_PID, "?");
            Hashtable<String, Object> properties = new Hashtable<>();
            properties.put(INTERFACE, name);
            if (!mode.isEmpty()) {
                properties.put(MODE, mode);
            }
            Optional<Attachment> orphan = attachment(name);
            Optional<Attachment> outcome;
            boolean attached = false;
            try {
                configuration.update(properties);
                outcome = await(() -> attachment(name).filter(attachment -> !Optional.of(attachment).equals(orphan)
                        && (attachment.attached() || !attachment.problem().isEmpty())));
                attached = outcome.filter(Attachment::attached).isPresent();
            } finally {
                if (!attached) {
                    configuration.delete();
                }
            }
            if (!attached) {
                awaitGone(name);
                throw new IllegalStateException(outcome.map(Attachment::problem).orElse(name + " is not attached after "
                        + WAIT_SECONDS + " s and was given up: is the bundle io.flowbypass.xdp running?"));
            }
            return name + " is attached in " + outcome.get().mode() + " mode, program " + outcome.get().programId();
        } catch (IOException e) {
            throw notStored(e);
        }
    }

    /**
     * Deletes an interface's configuration, wherever it came from. An interface that an earlier run left attached is
     * adopted first.
     *
     * @return what was done, in a sentence
     * @throws IllegalStateException when it is neither configured nor attached, or still attached after 5 s
     */
    public String detach(String name) {
        try {
            if (find(name).isEmpty() && attachment(name).isPresent()) {
                attach(name, "");
            }
            List<Configuration> configurations = find(name);
            if (configurations.isEmpty()) {
                throw new IllegalStateException(name + " is not configured: configured are "
                        + dataPlane.attachments().stream().map(Attachment::interfaceName).toList());
            }
            List<Object> files = configurations.stream()
                    .map(configuration -> configuration.getProperties().get(FILE))
                    .filter(Objects::nonNull).toList();
            for (Configuration configuration : configurations) {
                configuration.delete();
            }
            if (!awaitGone(name)) {
                throw new IllegalStateException(name + " has no configuration any more, but is still there after "
                        + WAIT_SECONDS + " s" + shown(name) + "; look at the log");
            }
            return name + " is detached" + files.stream().map(Attachments::fileLeft).collect(Collectors.joining());
        } catch (IOException e) {
            throw notStored(e);
        }
    }

    /** io.flowbypass.management has deleted the file of a deleted configuration, unless it may not write. */
    private static String fileLeft(Object url) {
        Path file = Path.of(URI.create(url.toString()));
        return Files.notExists(file) ? "" : "; the file " + file + " would attach it again at the next start: delete it";
    }

    /** More than one where a duplicate was refused. */
    private List<Configuration> find(String name) throws IOException {
        try {
            Configuration[] all = admin.listConfigurations("(service.factoryPid=" + DataPlane.INTERFACE_PID + ")");
            return Stream.of(all == null ? new Configuration[0] : all)
                    .filter(configuration -> name.equals(configuration.getProperties().get(INTERFACE))).toList();
        } catch (InvalidSyntaxException e) {
            throw new AssertionError("a constant filter", e);
        }
    }

    private Optional<Attachment> attachment(String name) {
        return dataPlane.attachments().stream().filter(attachment -> attachment.interfaceName().equals(name)).findFirst();
    }

    /** A deleted configuration is carried out on another thread. */
    private boolean awaitGone(String name) {
        return await(() -> attachment(name).isPresent() ? Optional.empty() : Optional.of(true)).isPresent();
    }

    private String shown(String name) {
        return attachment(name).map(attachment -> attachment.attached() ? " and attached in " + attachment.mode() + " mode"
                : ", with a problem: " + attachment.problem()).orElse("");
    }

    private static <T> Optional<T> await(Supplier<Optional<T>> look) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
        Optional<T> seen = look.get();
        while (seen.isEmpty() && System.nanoTime() - deadline < 0) {
            try {
                Thread.sleep(LOOK_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while waiting; look at Interfaces", e);
            }
            seen = look.get();
        }
        return seen;
    }

    private static IllegalStateException notStored(IOException e) {
        return new IllegalStateException("Configuration Admin could not store or read the interface: " + e
                + "; make the framework's storage writable", e);
    }
}
