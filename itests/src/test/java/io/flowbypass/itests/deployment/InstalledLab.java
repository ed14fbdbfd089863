// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The tar.gz, installed as the operator's guide says, in places where nothing was before. */
abstract class InstalledLab extends NamespaceLab {
    /** The script that it brings. */
    static final String FLOWBYPASS = "/opt/flowbypass/bin/flowbypass";
    static final int FROM = 5000;
    static final int TO = 6000;
    private static final int SIGQUIT = 3;
    /** As systemd mounts bpffs: for root alone. */
    static final String MOUNTS = """
            mount -t tmpfs -o mode=755 tmpfs /run
            mkdir -p /run/etc /run/work
            mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/work /etc
            for place in /opt /var/lib /var/log; do mount -t tmpfs -o mode=755 tmpfs $place; done
            mount -t bpf -o mode=0700 bpf /sys/fs/bpf
            """;

    /** Does what the guide says at its heading Install. */
    void install() throws Exception {
        doWhereTheTarIs(guide("Install").get(0));
    }

    /** Runs commands that have to end well. */
    void does(String commands) throws Exception {
        Outcome outcome = end(start("sh", "-ec", commands));
        assertThat(outcome.status()).as(commands + outcome).isZero();
    }

    /** Runs commands that have to end well in the directory of the tar.gz. */
    void doWhereTheTarIs(String commands) throws Exception {
        does("cd " + Path.of("../felix-config/target").toRealPath() + "\n" + commands);
    }

    /** The blocks of commands below a heading of the operator's guide. */
    static List<String> guide(String heading) throws IOException {
        String text = Files.readString(Path.of("../docs/operate.md"))
                .replaceFirst("(?s).*\n#+ " + Pattern.quote(heading) + "\n", "").replaceFirst("(?s)\n##.*", "\n");
        List<String> blocks = Pattern.compile("(?s)\n```\n(.*?)```\n").matcher(text).results()
                .map(block -> block.group(1)).toList();
        assertThat(blocks).as(heading).isNotEmpty();
        return blocks;
    }

    /** The words behind a name in the unit. */
    List<String> unit(String name) {
        return Stream.of(inside("sed -n \"s/^" + name + "=//p\" /opt/flowbypass/systemd/flowbypass.service").strip()
                .split("\\s+")).toList();
    }

    /** A JMX client of the JVM. */
    RemoteJmx connect(long first) throws Exception {
        AtomicLong jvm = new AtomicLong();
        Jmx.eventually(() -> {
            // Asked once: one that has just begun, or is about to end, may be missing the next time.
            long[] found = jvm(first);
            jvm.set(found.length == 1 ? found[0] : 0);
            return found.length == 1 && takesClients(found[0]);
        }, "a JVM runs");
        RemoteJmx jmx = new RemoteJmx(Long.toString(jvm.get()));
        Jmx.eventually(() -> jmx.isThere("FlowTable") && jmx.isThere("Xdp") && jmx.isThere("Policy,name=idle"),
                "the MBeans are there");
        return jmx;
    }

    /** The JVMs with Felix that a process, or one that it began, has begun. */
    static long[] jvm(long first) {
        return ProcessHandle.of(first).stream().flatMap(ProcessHandle::descendants)
                .filter(process -> process.info().commandLine().orElse("").contains("/bin/java ")
                        && process.info().commandLine().orElse("").contains(" bin/felix.jar "))
                .mapToLong(ProcessHandle::pid).toArray();
    }

    /** Whether JMX clients can attach: they begin with SIGQUIT, which ends, or is lost on, a JVM that does not catch it yet. */
    static boolean takesClients(long jvm) throws IOException {
        String caught;
        try {
            caught = Files.readString(Path.of("/proc/" + jvm + "/status")).replaceFirst("(?s).*SigCgt:\\s*(\\w+).*", "$1");
        } catch (NoSuchFileException gone) {
            return false;
        }
        return (Long.parseUnsignedLong(caught, 16) & 1 << SIGQUIT - 1) != 0;
    }

    /** Bypasses the flow of the test. */
    static void bypass(RemoteJmx jmx) throws Exception {
        assertThat(jmx.invoke("FlowTable", "bypass", "UDP", Lab.A, FROM, Lab.B, TO).toString()).startsWith("bypassed");
    }

    /** Whether XDP runs on an interface. */
    boolean isAttached(String name) {
        return inside("ip -d link show dev " + name).contains("prog/xdp");
    }

    /** Pins, run directories and processes. */
    String leftBehind() {
        return inside("ls -d /sys/fs/bpf/flowbypass* /run/flowbypass 2>/dev/null || true")
                + Arrays.toString(ProcessHandle.allProcesses().filter(InstalledLab::isOfHere).toArray());
    }

    private static boolean isOfHere(ProcessHandle process) {
        try {
            return Files.readSymbolicLink(Path.of("/proc", Long.toString(process.pid()), "cwd"))
                    .startsWith("/opt/flowbypass");
        } catch (IOException gone) {
            return false;
        }
    }
}
