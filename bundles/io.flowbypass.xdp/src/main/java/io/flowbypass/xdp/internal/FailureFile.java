// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.URI;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.osgi.framework.BundleContext;

/**
 * Tells whoever started the framework, once, what became of it: in the file that it named, a sentence that says why it is
 * of no use, or nothing at all when what it asked for works. The first outcome holds: what fails later is for the log.
 */
final class FailureFile {
    private static final String PROPERTY = "flowbypass.failure.file";

    private FailureFile() {
    }

    /** Says why it is of no use; false when nobody was told, because nobody asks, or no longer. */
    static boolean write(BundleContext context, String sentence) {
        return tell(context, sentence + System.lineSeparator());
    }

    /** Says that it works. */
    static void works(BundleContext context) {
        tell(context, "");
    }

    /**
     * Whether a configuration is one that whoever started the framework made for this start: its file is in the directory
     * of the file that it named, or below.
     *
     * @param configuration URL of the configuration's file; null when it has none
     */
    static boolean isBeside(BundleContext context, Object configuration) {
        String file = context.getProperty(PROPERTY);
        return file != null && configuration != null
                && Path.of(URI.create(configuration.toString())).startsWith(Path.of(file).toAbsolutePath().getParent());
    }

    private static boolean tell(BundleContext context, String outcome) {
        try {
            String file = context.getProperty(PROPERTY);
            if (file == null) {
                return false;
            }
            Files.writeString(Path.of(file), outcome, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            return true;
        } catch (FileAlreadyExistsException | IllegalStateException toldBeforeOrStopping) {
            return false;
        } catch (IOException failed) {
            System.getLogger(FailureFile.class.getName()).log(Level.WARNING, "Whoever started this framework cannot be told"
                    + " what became of it.", failed);
            return false;
        }
    }
}
