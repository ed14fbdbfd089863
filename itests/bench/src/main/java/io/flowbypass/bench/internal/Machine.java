// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * What was measured on, and what of.
 *
 * @param kernel its release
 * @param cpuModel what the CPU calls itself
 * @param cpus how many the JVM may use
 * @param jdkVersion of this JVM
 * @param jdkVendor of this JVM
 * @param flowbypass version of this bundle
 * @param libbpf version, major and minor
 */
record Machine(String kernel, String cpuModel, int cpus, String jdkVersion, String jdkVendor, String flowbypass,
        String libbpf) {
    private static final Path CPUS = Path.of("/proc/cpuinfo");

    /** In a line. */
    @Override
    public String toString() {
        return "Linux " + kernel + ", " + cpuModel + " (" + cpus + " CPUs), JDK " + jdkVersion + ", libbpf " + libbpf;
    }

    /**
     * Looks.
     *
     * @param programs where this bench's programs in C are
     */
    static Machine look(String flowbypass, Path programs) throws IOException, InterruptedException {
        try (Program maps = Program.start(programs.resolve("maps"), "--version")) {
            return new Machine(System.getProperty("os.version"), modelOfCpu(), Runtime.getRuntime().availableProcessors(),
                    Runtime.version().toString(), System.getProperty("java.vendor"), flowbypass, maps.answer());
        }
    }

    /** ARM's kernel has no such line; what is left is the name of the architecture. */
    private static String modelOfCpu() throws IOException {
        try (Stream<String> lines = Files.lines(CPUS)) {
            return lines.filter(line -> line.startsWith("model name")).findFirst()
                    .map(line -> line.substring(line.indexOf(':') + 1).strip()).orElse(System.getProperty("os.arch"));
        }
    }
}
