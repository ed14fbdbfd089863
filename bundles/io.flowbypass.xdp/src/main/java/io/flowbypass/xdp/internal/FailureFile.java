// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import org.osgi.framework.BundleContext;

/** Tells whoever started the framework why it is of no use: a sentence in the file that it named. */
final class FailureFile {
    private static final String PROPERTY = "flowbypass.failure.file";

    private FailureFile() {
    }

    /** Writes the sentence where the framework property {@value #PROPERTY} names a file; false when it was not written. */
    static boolean write(BundleContext context, String sentence) {
        String file = context.getProperty(PROPERTY);
        if (file == null) {
            return false;
        }
        try {
            Files.writeString(Path.of(file), sentence + System.lineSeparator());
            return true;
        } catch (IOException failed) {
            System.getLogger(FailureFile.class.getName()).log(Level.WARNING, "cannot write " + file, failed);
            return false;
        }
    }
}
