// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal.chaos;

import io.flowbypass.bench.internal.Cable;
import io.flowbypass.bench.internal.Run;
import io.flowbypass.bench.internal.Shell;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A cable: in the namespace at its other end a Flowbypass is started, the end here is for a program of another design. The kernel
 * runs a program that is on an interface without a grace period for each test run.
 */
final class Lab implements AutoCloseable {
    /** The end in the namespace. */
    static final String CABLE = "chaos0";

    private final Run run;
    private final Cable cable;

    Lab(Run run) throws IOException {
        this.run = run;
        cable = new Cable(run, CABLE);
    }

    Path directory() {
        return run.directory();
    }

    /** Where the pins of a table go, beside those of the Flowbypass that runs this. */
    Path pins(String name) {
        return run.pins().resolveSibling(name);
    }

    /** Removes pins, which takes what they link off the interfaces. */
    void removePins(String name) throws IOException {
        Shell.run("rm -rf " + pins(name));
    }

    Path namespaceFile() {
        return cable.namespaceFile();
    }

    /** Attaches a program to the end here, in the place of the one before. */
    void attach(int program) {
        cable.attach(program);
    }

    /** Removes it, with all that runs there. */
    @Override
    public void close() throws IOException {
        cable.close();
    }
}
