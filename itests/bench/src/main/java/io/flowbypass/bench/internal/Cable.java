// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.Bpf.XdpMode;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.libbpf.Host;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** A cable without addresses: one end here, for a program, the other one in a network namespace of its own. For one thread. */
public final class Cable implements AutoCloseable {
    private final String namespace;
    private final String here;
    private Descriptor attached;

    /**
     * Plugs it in.
     *
     * @param there the name of the end in the namespace, and of the namespace behind what is common to those of a bench
     */
    public Cable(Run run, String there) throws IOException {
        namespace = run.namespaces() + there;
        here = "fb" + ProcessHandle.current().pid() + "c";
        Shell.run("ip netns add " + namespace
                + "\nip link add " + here + " type veth peer name " + there + " netns " + namespace
                + "\necho 1 >/proc/sys/net/ipv6/conf/" + here + "/disable_ipv6"
                + "\nip link set " + here + " up"
                + "\nip -n " + namespace + " link set " + there + " up");
    }

    /** For {@code nsenter}. */
    public Path namespaceFile() {
        return Path.of("/run/netns", namespace);
    }

    /** Number of the interface here. */
    int index() {
        return Host.interfaceIndex(here).orElseThrow();
    }

    /** Packets that have arrived here, cut or not. */
    long arrived() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/net/dev"))) {
            return lines.map(String::strip).filter(line -> line.startsWith(here + ":")).findFirst()
                    .map(line -> Long.parseLong(line.substring(here.length() + 1).strip().split(" +")[1])).orElseThrow();
        }
    }

    /** Attaches a program to the end here, in the place of the one before. */
    public void attach(int program) {
        detach();
        attached = Bpf.attachXdp(program, index(), XdpMode.NATIVE);
    }

    /** Takes the program off. */
    void detach() {
        if (attached != null) {
            attached.close();
            attached = null;
        }
    }

    /** Removes it, with all that runs there. */
    @Override
    public void close() throws IOException {
        detach();
        Shell.run("for process in $(ip netns pids " + namespace + "); do kill -9 $process; done\nip link del " + here
                + "\nip netns del " + namespace);
    }
}
