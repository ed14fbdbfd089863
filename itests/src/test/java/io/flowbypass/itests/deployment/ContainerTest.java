// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.itests.lab.Capture;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.Reaper;
import io.flowbypass.itests.lab.Sender;
import io.flowbypass.itests.lab.Shell;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/**
 * The script as the first process of a container: it has processes of its own, and shares interfaces, pins and, as by a
 * volume, {@code /run/flowbypass} with others.
 */
class ContainerTest extends CommandLab {
    private static final int FROM = 5000;
    private static final int TO = 6000;
    /** Runs a command under a filter that answers bpf on x86-64 with EPERM, and lets everything else through. */
    private static final String WITHOUT_BPF = """
            my $filter = pack "SCCL" x 4, 0x20, 0, 0, 0, 0x15, 0, 1, 321, 0x06, 0, 0, 0x50001, 0x06, 0, 0, 0x7fff0000;
            my $program = pack "S x6 P", 4, $filter;
            syscall(157, 38, 1, 0, 0, 0) == 0 && syscall(157, 22, 2, $program) == 0 or die "no filter: $!";
            exec @ARGV""";

    private final List<Process> containers = new ArrayList<>();

    private Process container(String... command) throws IOException {
        List<String> line = new ArrayList<>(List.of("unshare", "--pid", "--fork", "--kill-child", "--mount-proc"));
        line.addAll(List.of(command));
        Process container = start(line.toArray(String[]::new));
        containers.add(container);
        return container;
    }

    /** Off, which comes after this, clears away what a dead one left. */
    @AfterEach
    void killContainers() throws Exception {
        for (Process container : containers) {
            container.descendants().forEach(ProcessHandle::destroyForcibly);
            container.waitFor();
        }
    }

    private static long first(Process container) {
        return container.children().findFirst().orElseThrow().pid();
    }

    private String pings() {
        return inside("./flowbypass ctl ping 2>&1 || true");
    }

    @Override
    String inside(String command) {
        return super.inside("cd " + directory + "; " + command);
    }

    @Test
    void itStopsLikeAServiceAndWhatStartsNextAdoptsItsFlows() throws Exception {
        try (Lab lab = new Lab(); Sender sender = lab.senderA()) {
            Capture capture = lab.capture(lab.cableA());
            for (int round = 1; round <= 2; round++) {
                Process container = container("./flowbypass", "run", "-i", lab.cableA());
                Jmx.eventually(() -> pings().startsWith("Flowbypass answers"), "it can be asked");
                String flow = "udp " + Lab.A + ":" + FROM + " " + Lab.B + ":" + TO;
                inside("./flowbypass ctl cut " + flow);
                sender.send(FROM, Lab.B, TO, 100, 64);
                assertThat(inside("./flowbypass ctl find " + flow)).contains("forward " + round + "00 packets");
                inside("kill " + first(container));
                assertThat(end(container).status()).isZero();
            }
            assertThat(capture.seen(FROM, TO)).isZero();
        }
    }

    @Test
    void aSecondOneAndWhatClearsAwayBesideLeaveTheFirstAlone() throws Exception {
        try (Lab lab = new Lab()) {
            Process first = container("./flowbypass", "run", "-i", lab.cableA());
            Jmx.eventually(() -> pings().startsWith("Flowbypass answers"), "it can be asked");
            refuses(end(container("./flowbypass", "run", "-i", lab.cableA())), "another Flowbypass runs in a container");
            refuses(flowbypass("run", "-i", lab.cableA()), "Another Flowbypass uses");
            assertThat(first.isAlive()).isTrue();
            assertThat(inside("ls /run/flowbypass/run.1/etc")).contains(lab.cableA());
            assertThat(inside("./flowbypass ctl status")).contains("interface " + lab.cableA() + " native attached");
        }
    }

    @Test
    void pinsOfADemoWhoseProcessesCannotBeSeenAreItsOwn() throws Exception {
        String pins = "/sys/fs/bpf/flowbypass-demo-999999";
        inside("mkdir " + pins);
        Process demo = start("flock", pins, "sleep", "1000");
        Jmx.eventually(() -> inside("flock -n " + pins + " true && echo free || echo used").equals("used\n"), "it runs");
        flowbypass("off");
        assertThat(inside("ls -d " + pins)).isNotEmpty();
        demo.descendants().forEach(ProcessHandle::destroyForcibly);
        end(demo);
        flowbypass("off");
        assertThat(inside("ls -d " + pins + " 2>/dev/null || true")).isEmpty();
    }

    @Test
    void offFromInsideTakesEverythingOffBeforeTheContainerEnds() throws Exception {
        try (Lab lab = new Lab()) {
            Process container = container("./flowbypass", "run", "-i", lab.cableA());
            Jmx.eventually(() -> pings().startsWith("Flowbypass answers"), "it can be asked");
            // The pins are looked up a second after Felix has stopped.
            Files.createDirectory(directory.resolve("slow"));
            Files.writeString(directory.resolve("slow/readlink"),
                    "#!/bin/sh\nsleep 1\nexec " + inside("command -v readlink").strip() + " \"$@\"\n");
            inside("chmod +x slow/readlink");
            Outcome off = end(start("nsenter", "--target=" + first(container), "--pid", "--mount", "--wd=" + directory,
                    "sh", "-c", "PATH=$PWD/slow:$PATH exec ./flowbypass off"));
            assertThat(off.status()).as(off.toString()).isZero();
            assertThat(off.out()).contains("Stopping Felix", "Took the XDP program off " + lab.cableA(), "Nothing of");
            assertThat(end(container).status()).isZero();
            assertThat(inside("ip -d link show dev " + lab.cableA())).doesNotContain("prog/xdp");
            assertThat(leftBehind()).isEqualTo("[]");
        }
    }

    @Test
    void theSocketOfAKilledJvmIsTakenAwayAlsoWhereNobodyWaitsForItsEnd() throws Exception {
        try (Lab lab = new Lab()) {
            // No first process of a container has to wait for children: what is killed stays a zombie here.
            Process container = container("sh", "-c", "./flowbypass run -i " + lab.cableA() + " & exec sleep 1000");
            Jmx.eventually(() -> pings().startsWith("Flowbypass answers"), "it can be asked");
            String jvm = inside("cut -d\" \" -f1 /run/flowbypass/run.*/jvm").strip();
            Path socket = Files.createFile(Path.of("/tmp/.java_pid" + jvm));
            try {
                String there = "nsenter --target " + first(container) + " --pid --mount ";
                inside("script=$(ls -d /run/flowbypass/run.*); " + there + "kill -9 ${script##*.} " + jvm);
                Jmx.eventually(() -> inside("ls -d /run/flowbypass/run.* 2>/dev/null || true").isEmpty(), "it is cleared away");
                assertThat(inside(there + "cut -d\" \" -f3 /proc/" + jvm + "/stat")).isEqualTo("Z\n");
                assertThat(socket).doesNotExist();
            } finally {
                Files.deleteIfExists(socket);
            }
        }
    }

    @Test
    void offFromOutsideTakesItOffTheMachineAndSaysThatItRunsElsewhere() throws Exception {
        try (Lab lab = new Lab()) {
            Process container = container("./flowbypass", "run", "-i", lab.cableA());
            Jmx.eventually(() -> pings().startsWith("Flowbypass answers"), "it can be asked");
            Outcome off = flowbypass("off");
            assertThat(off.status()).as(off.toString()).isZero();
            assertThat(off.out()).contains("not to be stopped from here", "Took the XDP program off " + lab.cableA(),
                    "Nothing else of");
            assertThat(inside("ip -d link show dev " + lab.cableA())).doesNotContain("prog/xdp");
            assertThat(container.isAlive()).isTrue();
        }
    }

    @Test
    void offSaysThatItMayNotEnterAnothersPins() throws Exception {
        inside("install -d -o 4711 -m 0700 /sys/fs/bpf/flowbypass");
        Outcome off = end(start("setpriv", "--bounding-set=-dac_override,-dac_read_search", "./flowbypass", "off"));
        assertThat(off.status()).as(off.toString()).isZero();
        assertThat(off.out()).contains("Left the pins in /sys/fs/bpf/flowbypass", "Nothing else of");
        inside("rmdir /sys/fs/bpf/flowbypass");
    }

    @Test
    void aSeccompFilterThatForbidsBpfIsNamed() throws Exception {
        Assumptions.assumeTrue(System.getProperty("os.arch").equals("amd64"), "the filter is for x86-64");
        try (Lab lab = new Lab()) {
            refuses(end(start("perl", "-e", WITHOUT_BPF, "./flowbypass", "run", "-i", lab.cableA())), "seccomp",
                    "guide.md");
            assertThat(end(start("perl", "-e", WITHOUT_BPF, "./flowbypass", "doctor")).out())
                    .contains("missing  the system call bpf").as("all packages are here")
                    .doesNotContain("install missing packages");
        }
        assertThat(flowbypass("doctor").out()).contains("ok       the system call bpf");
    }

    @Test
    void whereTheControlGroupHasNoRoomForTheTableItIsSaid() throws Exception {
        boolean first = Files.exists(Path.of("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
        Assumptions.assumeTrue(first || Shell.run("cat /sys/fs/cgroup/cgroup.subtree_control 2>&1 || true")
                .contains("memory"), "needs the memory controller");
        String group = "/sys/fs/cgroup/" + (first ? "memory/" : "") + "flowbypass-" + ProcessHandle.current().pid();
        Reaper reaper = new Reaper("for i in $(seq 100); do rmdir " + group + " && break; sleep 0.1; done");
        try (Lab lab = new Lab()) {
            inside("mkdir " + group + " && echo 500M >" + group + (first ? "/memory.limit_in_bytes" : "/memory.max"));
            // The kernel either says ENOMEM, or kills the JVM.
            String settings = "felix-config/target/flowbypass/etc/io.flowbypass.xdp.cfg";
            refuses(run("sed -i 's/^capacity.*/capacity = 4000000/' " + settings + "; echo $$ >" + group + "/cgroup.procs;",
                    "run", "-i", lab.cableA()), "memory", "control group");
        } finally {
            reaper.close();
        }
    }
}
