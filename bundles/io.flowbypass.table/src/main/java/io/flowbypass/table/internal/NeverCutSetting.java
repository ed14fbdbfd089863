// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import io.flowbypass.flow.NeverCutList;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/** Changes the never-cut list by its configuration, and waits until the change is in force. */
final class NeverCutSetting implements NeverCutList {
    static final String KEY = "never.cut";

    private static final int TRIES = 3;
    private static final long STORE_AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    /** Storings, not time: a JVM that was stopped for a while has had no chance. */
    private static final int STORINGS = 10;
    private static final long LOOK_MILLIS = 10;

    private final Supplier<ConfigurationAdmin> admin;
    private final Supplier<NeverCut> inForce;

    /**
     * Of the configuration of {@link TableComponent}.
     *
     * @param admin supplies null while there is none
     * @param inForce supplies null at first
     */
    NeverCutSetting(Supplier<ConfigurationAdmin> admin, Supplier<NeverCut> inForce) {
        this.admin = admin;
        this.inForce = inForce;
    }

    private List<NeverCut.Entry> inForce(boolean own) {
        NeverCut list = inForce.get();
        return list == null ? List.of() : list.entries().stream().filter(entry -> entry.isOwn() == own).toList();
    }

    @Override
    public List<String> entries() {
        return inForce(false).stream().map(NeverCut.Entry::text).toList();
    }

    @Override
    public List<String> ownAddresses() {
        return inForce(true).stream().map(entry -> entry.prefix().source().getHostAddress()).toList();
    }

    @Override
    public synchronized boolean add(String text) {
        NeverCut.Entry entry = NeverCut.Entry.of(text);
        return change(entries -> entries.stream().noneMatch(entry::isSameAs) && entries.add(entry));
    }

    @Override
    public synchronized boolean remove(String text) {
        NeverCut.Entry entry = NeverCut.Entry.of(text);
        return change(entries -> entries.removeIf(entry::isSameAs));
    }

    /** A change of a list; false when it changes nothing. */
    private interface Change {
        boolean of(List<NeverCut.Entry> entries);
    }

    private boolean change(Change change) {
        ConfigurationAdmin now = admin.get();
        if (now == null) {
            throw new IllegalStateException(
                    "the never-cut list is unchanged: Configuration Admin, which keeps it, is not running; start it");
        }
        List<NeverCut.Entry> wanted = new ArrayList<>();
        boolean changed = at(now, configuration -> {
            boolean stored = false;
            // Again where FileInstall had just read the file of an earlier change, and went back to that.
            for (int i = 0; i < TRIES && change.of(read(configuration, wanted)); i++) {
                configuration.updateIfDifferent(with(configuration, wanted));
                stored = true;
            }
            return stored;
        });
        for (int stored = 1; !isInForceWithin(STORE_AGAIN_NANOS, wanted); stored++) {
            if (stored == STORINGS) {
                throw new IllegalStateException("the never-cut list was stored, but is not in force after "
                        + TimeUnit.NANOSECONDS.toSeconds(STORINGS * STORE_AGAIN_NANOS) + " s: look at the log");
            }
            // SCR reads the values before the change count: of two changes in a row it may never see the second.
            at(now, configuration -> {
                boolean again = change.of(read(configuration, wanted));
                configuration.update(with(configuration, wanted));
                return again;
            });
        }
        return changed;
    }

    private interface Step {
        boolean make(Configuration configuration) throws IOException;
    }

    private static boolean at(ConfigurationAdmin admin, Step step) {
        try {
            return step.make(admin.getConfiguration(TableComponent.PID, "?"));
        } catch (IOException e) {
            throw new IllegalStateException("the never-cut list cannot be stored: " + e
                    + "; make the framework's storage writable", e);
        } catch (IllegalStateException e) {
            throw new IllegalStateException(
                    "the never-cut list is not stored: Configuration Admin, which keeps it, is being stopped; start it", e);
        }
    }

    private static Dictionary<String, Object> properties(Configuration configuration) {
        Dictionary<String, Object> properties = configuration.getProperties();
        return properties == null ? new Hashtable<>() : properties;
    }

    /** Makes a list the configured one, and returns it. */
    private static List<NeverCut.Entry> read(Configuration configuration, List<NeverCut.Entry> list) {
        Object text = properties(configuration).get(KEY);
        list.clear();
        list.addAll(NeverCut.list(text == null ? "" : text.toString()));
        return list;
    }

    /** What is configured, with another list: one of the other properties names the file that the change is written to. */
    private static Dictionary<String, Object> with(Configuration configuration, List<NeverCut.Entry> list) {
        Dictionary<String, Object> properties = properties(configuration);
        properties.put(KEY, list.stream().map(NeverCut.Entry::text).collect(Collectors.joining(", ")));
        return properties;
    }

    private boolean isInForceWithin(long nanos, List<NeverCut.Entry> entries) {
        long deadline = System.nanoTime() + nanos;
        while (!inForce(false).equals(entries)) {
            if (System.nanoTime() - deadline >= 0) {
                return false;
            }
            try {
                Thread.sleep(LOOK_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while waiting for the never-cut list to be in force", e);
            }
        }
        return true;
    }
}
