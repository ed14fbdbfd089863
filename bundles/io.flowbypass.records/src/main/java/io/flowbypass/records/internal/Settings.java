// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.records.internal;

import io.flowbypass.policy.Bounds;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.function.Supplier;

/**
 * What is configured, each value within its bounds.
 *
 * @param file path of the file; empty for none
 * @param rotateSeconds 0: not by age
 * @param updateSeconds 0: neither updates nor starts
 */
record Settings(String file, long rotateBytes, int rotateSeconds, int keptFiles, int updateSeconds, int communityIdSeed,
        boolean eventsEnabled) {
    static final String FILE = "records/flows.json";
    static final long ROTATE_BYTES = 100 << 20;
    static final int ROTATE_SECONDS = 86400;
    static final int KEPT_FILES = 10;
    static final int UPDATE_SECONDS = 300;
    static final Settings SHIPPED = new Settings(FILE, ROTATE_BYTES, ROTATE_SECONDS, KEPT_FILES, UPDATE_SECONDS, 0, false);

    private static final Logger LOG = System.getLogger(Settings.class.getName());
    private static final long MIN_BYTES = 1 << 16;
    private static final long MAX_BYTES = 1L << 40;
    private static final int MAX_SECONDS = 31_536_000;
    private static final int MAX_KEPT = 1000;
    private static final int MAX_UPDATE_SECONDS = 86400;

    /** The configuration, but for values that are out of bounds or cannot be read: those stay, and the log says so. */
    static Settings of(FlowRecords.Config config, Settings old) {
        return new Settings(file(config.file().strip(), old.file),
                number("rotate.bytes", config::rotate_bytes, MIN_BYTES, MAX_BYTES, "bytes", old.rotateBytes),
                number("rotate.seconds", config::rotate_seconds, 0, MAX_SECONDS, "seconds", old.rotateSeconds),
                number("kept.files", config::kept_files, 1, MAX_KEPT, "files", old.keptFiles),
                number("update.seconds", config::update_seconds, 0, MAX_UPDATE_SECONDS, "seconds", old.updateSeconds),
                number("community.id.seed", config::community_id_seed, 0, CommunityId.MAX_SEED, "(16 bits)",
                        old.communityIdSeed),
                config.events_enabled());
    }

    private static String file(String configured, String old) {
        if (!configured.isEmpty() && Path.of(configured).toAbsolutePath().getParent() == null) {
            refuse("file", "file = " + configured + " in " + FlowRecords.PID + " is a directory: name a file in one",
                    old);
            return old;
        }
        return configured;
    }

    private static <T extends Number> T number(String key, Supplier<T> configured, long min, long max, String unit, T old) {
        try {
            return Bounds.check(FlowRecords.PID, key, configured.get(), min, max, unit);
        } catch (IllegalArgumentException bad) {
            refuse(key, bad.getMessage(), old);
        } catch (RuntimeException unreadable) { // SCR's, of what is no number
            refuse(key, key + " in " + FlowRecords.PID + " is not a whole number: " + unreadable.getMessage(), old);
        }
        return old;
    }

    static void refuse(String key, String why, Object old) {
        LOG.log(Level.ERROR, "{0}. {1} = {2} stays in force.", why, key, String.valueOf(old));
    }

    Settings withFile(String other) {
        return new Settings(other, rotateBytes, rotateSeconds, keptFiles, updateSeconds, communityIdSeed, eventsEnabled);
    }
}
