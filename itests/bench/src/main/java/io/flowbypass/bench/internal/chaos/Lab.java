// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal.chaos;

import io.flowbypass.bench.internal.Run;
import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.Bpf.XdpMode;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.libbpf.Host;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A cable without addresses: one end in a network namespace of its own, in which a Flowbypass is started, the other one here, for
 * a program of another design. The kernel runs a program that is on an interface without a grace period for each test run.
 */
final class Lab implements AutoCloseable {
    /** The end in the namespace. */
    static final String CABLE = "chaos0";

    private final Run run;
    private final String namespace;
    private final String here;
    private Descriptor attached;

    Lab(Run run) throws IOException {
        this.run = run;
        namespace = run.namespaces() + "chaos";
        here = "fb" + ProcessHandle.current().pid() + "c";
        shell("ip netns add " + namespace
                + "\nip link add " + here + " type veth peer name " + CABLE + " netns " + namespace
                + "\necho 1 >/proc/sys/net/ipv6/conf/" + here + "/disable_ipv6"
                + "\nip link set " + here + " up"
                + "\nip -n " + namespace + " link set " + CABLE + " up");
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
        shell("rm -rf " + pins(name));
    }

    Path namespaceFile() {
        return Path.of("/run/netns", namespace);
    }

    /** Attaches a program to the end here, in the place of the one before. */
    void attach(int program) {
        detach();
        attached = Bpf.attachXdp(program, Host.interfaceIndex(here).orElseThrow(), XdpMode.NATIVE);
    }

    private void detach() {
        if (attached != null) {
            attached.close();
            attached = null;
        }
    }

    private static void shell(String lines) throws IOException {
        Process shell = new ProcessBuilder("sh", "-ec", lines).redirectErrorStream(true).start();
        String said = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (shell.onExit().join().exitValue() != 0) {
            throw new IOException(lines + " failed: " + said.strip());
        }
    }

    /** Removes it, with all that runs there. */
    @Override
    public void close() throws IOException {
        detach();
        shell("for process in $(ip netns pids " + namespace + "); do kill -9 $process; done\nip link del " + here
                + "\nip netns del " + namespace);
    }
}
