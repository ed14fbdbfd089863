// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.itests.lab.Capture;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.Reaper;
import io.flowbypass.itests.lab.Root;
import io.flowbypass.itests.lab.Sender;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The unit, under a systemd that is the first process of namespaces of its own and knows no other unit. */
class ServiceTest extends InstalledLab {
    private static final Path SYSTEMD = Path.of("/lib/systemd/systemd");
    /** All control groups, wherever this machine has them. */
    private static final String CGROUPS = """
            mount -t tmpfs tmpfs /sys/fs/cgroup
            mount -t cgroup2 cgroup2 /sys/fs/cgroup
            """;
    private static final String CGROUP = "/sys/fs/cgroup/flowbypass-test-" + ProcessHandle.current().pid();
    /**
     * This systemd changes nothing of the machine: /proc/sys is read-only, and what a unit has in /tmp, and in control groups,
     * ends with it.
     */
    private static final String BOOT = CGROUPS + "mkdir " + CGROUP + "\necho 0 >" + CGROUP + "/cgroup.procs\n" + """
            umount /sys/fs/cgroup
            mount -t proc proc /proc
            for place in /tmp /var/tmp; do
                mkdir -p /run/over$place/new /run/over$place/work
                chmod 1777 /run/over$place/new
                mount -t overlay overlay -o lowerdir=$place,upperdir=/run/over$place/new,workdir=/run/over$place/work $place
            done
            mount --bind /proc/sys /proc/sys
            mount -o remount,ro,bind /proc/sys
            mount -t tmpfs tmpfs /lib/systemd/system-generators
            mount -t tmpfs tmpfs /lib/systemd/system
            rm -rf /etc/systemd/system/*
            for target in default sysinit basic shutdown multi-user network umount; do
                printf '[Unit]\\nDefaultDependencies=no\\n' >/lib/systemd/system/$target.target
            done
            exec unshare --cgroup sh -ec 'mount -t cgroup2 cgroup2 /sys/fs/cgroup
                exec env -i container=other PATH=$PATH /lib/systemd/systemd --system --log-target=null >/dev/null 2>&1'
            """;
    private static final String TAKE_DOWN = "unshare --mount sh -ec '" + CGROUPS
            + "for i in $(seq 100); do find " + CGROUP + " -depth -type d -exec rmdir {} + && break; sleep 0.1; done'";

    private Process unshared;
    private Reaper reaper;

    @BeforeEach
    void boot() throws Exception {
        Root.required();
        Assumptions.assumeTrue(Files.isExecutable(SYSTEMD), "needs systemd");
        enter(MOUNTS);
        unshared = start("unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "sh", "-ec", BOOT);
        reaper = new Reaper("kill -9 " + unshared.pid() + "\n" + TAKE_DOWN);
        Jmx.eventually(() -> unshared.children().anyMatch(each -> Files.exists(
                Path.of("/proc/" + each.pid() + "/root/run/systemd/private"))), "systemd takes commands");
    }

    @AfterEach
    void takeDown() throws Exception {
        if (reaper != null) {
            reaper.close();
            unshared.waitFor();
        }
        if (isEntered()) {
            leave();
        }
    }

    @Override
    List<String> way() {
        return unshared == null ? super.way()
                : List.of("nsenter", "--target=" + first(), "--mount", "--uts", "--ipc", "--cgroup", "--pid");
    }

    private long first() {
        return unshared.children().findFirst().orElseThrow().pid();
    }

    private void installAndStart(Lab lab) throws Exception {
        install();
        // In these namespaces a JVM may find none of its control groups, and fail.
        does("echo JAVA_TOOL_OPTIONS=-XX:-UseContainerSupport >>/etc/default/flowbypass");
        does(guide("Start it").get(0).replace("eth1", lab.cableA()));
    }

    private boolean isActive() {
        return inside("systemctl is-active flowbypass || true").equals("active\n");
    }

    @Test
    void itCutsAcrossStopCrashAndRestartAndOffLeavesNothing() throws Exception {
        try (Lab lab = new Lab(); Sender sender = lab.senderA()) {
            installAndStart(lab);
            try (RemoteJmx jmx = connect(first())) {
                assertThat(jmx.attribute("Xdp", "LeaseSeconds")).isEqualTo(60);
                bypass(jmx);
                jmx.setAttribute("Policy,name=idle", "UdpSeconds", 77);
                Jmx.eventually(() -> inside("cat /opt/flowbypass/etc/io.flowbypass.policy.idle.cfg")
                        .contains("udp.seconds = 77\n"), "the value is in its file");
            }
            String status = Files.readString(Path.of("/proc/" + jvm(first())[0] + "/status"));
            assertThat(status).contains("NoNewPrivs:\t1", "Seccomp:\t2").doesNotContain("Uid:\t0\t");
            Jmx.eventually(() -> isAttached(lab.cableA()), "XDP is attached");
            Capture capture = lab.capture(lab.cableA());
            sender.send(FROM, Lab.B, TO, 100, 64);
            does("systemctl stop flowbypass");
            assertThat(inside("systemctl show -p Result flowbypass")).isEqualTo("Result=success\n");
            assertThat(jvm(first())).isEmpty();
            sender.send(FROM, Lab.B, TO, 100, 64);
            does("systemctl start flowbypass");
            connect(first()).close();
            ProcessHandle.of(jvm(first())[0]).orElseThrow().destroyForcibly();
            Jmx.eventually(() -> !isActive(), "systemd sees that it is gone");
            sender.send(FROM, Lab.B, TO, 100, 64);
            Jmx.eventually(this::isActive, "systemd starts it again");
            try (RemoteJmx jmx = connect(first())) {
                sender.send(FROM, Lab.B, TO, 100, 64);
                Jmx.eventually(() -> jmx.attribute("FlowTable", "BypassedPackets").equals(400L), "all are counted");
            }
            assertThat(capture.seen(FROM, TO)).isZero();
            doWhereTheTarIs(guide("Update").get(0));
            try (RemoteJmx jmx = connect(first())) {
                sender.send(FROM, Lab.B, TO, 100, 64);
                Jmx.eventually(() -> jmx.attribute("FlowTable", "BypassedPackets").equals(500L), "all are counted");
                assertThat(jmx.attribute("Policy,name=idle", "UdpSeconds")).isEqualTo(77);
            }
            does(guide("JMX on the machine").get(0));
            assertThat(said("out")).contains("JDK");
            assertThat(capture.seen(FROM, TO)).isZero();
            does(FLOWBYPASS + " off");
            Jmx.eventually(() -> !isActive(), "and the service with it");
            assertThat(inside("systemctl show -p Result flowbypass")).isEqualTo("Result=success\n");
            assertThat(isAttached(lab.cableA())).isFalse();
            assertThat(leftBehind()).isEqualTo("[]");
            sender.send(FROM, Lab.B, TO, 100, 64);
            Jmx.eventually(() -> capture.seen(FROM, TO) == 100, "the monitor sees it again");
            does("systemctl start flowbypass");
            connect(first()).close();
            does(guide("Remove").get(0));
            assertThat(leftBehind()).isEqualTo("[]");
            assertThat(inside("ls -d /opt/flowbypass /etc/default/flowbypass /var/*/flowbypass 2>/dev/null || true"))
                    .isEmpty();
        }
    }

    @Test
    void whatNeedsMoreRightsWorksAsTheGuideSays() throws Exception {
        try (Lab lab = new Lab()) {
            installAndStart(lab);
            connect(first()).close();
            does("systemctl status flowbypass");
            does("groupadd --system zeek");
            does(guide("Let a monitor ask").get(0));
            connect(first()).close();
            Jmx.eventually(() -> inside("stat -c \"%A %G\" /run/flowbypass/ctl.sock 2>&1 || true")
                    .equals("srw-rw---- zeek\n"), "the socket is the group's");
            does("sed -i 's/^capacity *=.*/capacity = 4096/' /opt/flowbypass/etc/io.flowbypass.xdp.cfg");
            List<String> migrate = guide("Migrate a table");
            does(migrate.get(0));
            connect(first()).close();
            Jmx.eventually(() -> !inside("ls /sys/fs/bpf/flowbypass").contains("old"), "it is drained");
            does(migrate.get(1));
            try (RemoteJmx jmx = connect(first())) {
                assertThat(jmx.attribute("FlowTable", "Capacity")).isEqualTo(4096);
            }
            does("sed -i 's/^classic.tables *=.*/classic.tables = libflowbypass/'"
                    + " /opt/flowbypass/etc/io.flowbypass.xdp.cfg");
            does(guide("Tables of other tools").get(0));
            connect(first()).close();
            assertThat(inside("ls /sys/fs/bpf/autocutoff")).contains("flow_table_v4");
            Jmx.eventually(() -> isAttached(lab.cableA()), "XDP is attached");
            does(FLOWBYPASS + " off");
            assertThat(leftBehind()).isEqualTo("[]");
        }
    }
}
