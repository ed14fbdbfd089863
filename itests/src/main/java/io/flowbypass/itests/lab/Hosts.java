// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Hosts in namespaces of their own, cables from them to this one, and what runs on both. A {@link Reaper} takes everything
 * down, also when this JVM is killed.
 */
abstract class Hosts implements AutoCloseable {
    private static final long PID = ProcessHandle.current().pid();
    private static int made;

    private final String name;
    private final Reaper reaper;
    private final List<AutoCloseable> opened = new ArrayList<>();

    /**
     * With these, none of which is built yet.
     *
     * @param kind a letter
     * @param hosts all that there may be
     * @param cables the ends, in this namespace, of all cables that there may be
     */
    Hosts(String kind, List<String> hosts, List<String> cables) {
        Root.required();
        name = "fb" + PID + kind + made++;
        Stream<String> links = cables.stream().map(cable -> "ip link del " + name + cable);
        Stream<String> namespaces = hosts.stream().map(host -> "for pid in $(ip netns pids " + namespace(host)
                + "); do kill -9 $pid; done\nip netns del " + namespace(host));
        reaper = new Reaper(String.join("\n", Stream.concat(links, namespaces).toList()));
    }

    /** Builds, and takes down what was built when that fails. */
    final void build(Runnable how) {
        try {
            how.run();
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    final String namespace(String host) {
        return "flowbypass-" + name + host;
    }

    /** The end of a cable in this namespace. */
    final String cable(String which) {
        return name + which;
    }

    final Sender senderOn(String host) {
        return keep(new Sender(namespace(host)));
    }

    /** What comes in at the end of a cable, behind XDP. */
    final Capture captureAt(String cable) {
        return keep(new Capture(cable));
    }

    /** As {@code tcpdump -Q} says of the direction. */
    final Capture captureOn(String host, String networkInterface, String direction) {
        return keep(new Capture(List.of("nsenter", "--net=/run/netns/" + namespace(host)), networkInterface, direction));
    }

    private <T extends AutoCloseable> T keep(T closeable) {
        opened.add(closeable);
        return closeable;
    }

    @Override
    public final void close() {
        for (AutoCloseable closeable : opened) {
            try {
                closeable.close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
        reaper.close();
    }
}
