// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.libbpf.internal;

import com.sun.jna.Native;
import io.flowbypass.libbpf.BpfException;
import java.util.stream.Collectors;

/** JNA's own native library, without which nothing can be called. */
final class Jna {
    /** Why it cannot be used; null when it can. */
    private static final LinkageError PROBLEM = load();

    private Jna() {
    }

    static boolean works() {
        return PROBLEM == null;
    }

    /**
     * Does nothing when it can be used.
     *
     * @throws BpfException when it cannot
     */
    static void required() {
        if (!works()) {
            throw new BpfException("loading the native part of JNA", PROBLEM.getClass().getSimpleName(),
                    "JNA unpacks it to the directory that the system property jna.tmpdir names, which must be writable and"
                    + " not mounted noexec: name another one (-Djna.tmpdir=DIR; with ./flowbypass, set TMPDIR=DIR); the"
                    + " loader says: " + said(PROBLEM));
        }
    }

    /** The message of a loader, on one line. */
    static String said(LinkageError error) {
        return String.valueOf(error.getMessage()).lines().map(String::strip).distinct().collect(Collectors.joining(" "));
    }

    private static LinkageError load() {
        try {
            Native.getLastError();
            return null;
        } catch (LinkageError broken) {
            return broken;
        }
    }
}
