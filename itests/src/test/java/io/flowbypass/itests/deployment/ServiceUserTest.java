// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.itests.lab.Capture;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.Root;
import io.flowbypass.itests.lab.Sender;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is installed, run by the user that the unit names, with the capabilities that it lists, and no others. */
class ServiceUserTest extends InstalledLab {
    private static final int LEASE_SECONDS = 45;

    @BeforeEach
    void installIt() throws Exception {
        Root.required();
        enter(MOUNTS);
        install();
        // What systemd does before.
        inside("install -d -o flowbypass -g flowbypass /run/flowbypass /var/lib/flowbypass /var/log/flowbypass");
        String before = inside("sed -n \"s/^ExecStartPre=+//p\" /opt/flowbypass/systemd/flowbypass.service");
        Files.writeString(directory.resolve("before"), before);
        assertThat(end(start("sh", "-e", "before")).status()).isZero();
    }

    @AfterEach
    void takeDown() throws Exception {
        if (isEntered()) {
            end(start(FLOWBYPASS, "off"));
            // Each JVM leaves this of its user.
            inside("rmdir /tmp/hsperfdata_flowbypass 2>/dev/null || true");
            leave();
        }
    }

    /** The user of the unit, with these capabilities. */
    private String[] asUser(List<String> capabilities, String... command) {
        String set = "-all" + capabilities.stream().map(each -> each.toLowerCase(Locale.ROOT).replace("cap_", ",+"))
                .collect(Collectors.joining());
        // As systemd does: the user's, and those of the unit.
        String groups = inside("(id -Gn flowbypass | tr \" \" \"\\n\";"
                + " sed -n s/^SupplementaryGroups=//p /etc/systemd/system/flowbypass.service)").strip().replace('\n', ',');
        List<String> line = new ArrayList<>(List.of("setpriv", "--reuid=" + unit("User").get(0),
                "--regid=" + unit("Group").get(0), "--groups=" + groups, "--no-new-privs", "--inh-caps=" + set,
                "--ambient-caps=" + set, "--bounding-set=" + set, "env"));
        line.addAll(unit("Environment"));
        line.addAll(List.of(command));
        return line.toArray(String[]::new);
    }

    private Process run(String... options) throws Exception {
        return start(asUser(unit("AmbientCapabilities"), Stream.concat(Stream.of(FLOWBYPASS, "run"),
                Stream.of(options)).toArray(String[]::new)));
    }

    @Test
    void itCutsGoesOnCuttingWhenStoppedAdoptsAndOffLeavesNothing() throws Exception {
        assertThat(unit("CapabilityBoundingSet")).isEqualTo(unit("AmbientCapabilities"));
        try (Lab lab = new Lab(); Sender sender = lab.senderA()) {
            Process run = run("-i", lab.cableA(), "--lease", Integer.toString(LEASE_SECONDS));
            try (RemoteJmx jmx = connect(run.pid())) {
                assertThat(jmx.attribute("Xdp", "LeaseSeconds")).isEqualTo(LEASE_SECONDS);
                bypass(jmx);
                jmx.setAttribute("Policy,name=idle", "UdpSeconds", 77);
                Jmx.eventually(() -> inside("cat /opt/flowbypass/etc/io.flowbypass.policy.idle.cfg")
                        .contains("udp.seconds = 77\n"), "the value is in its file");
            }
            Jmx.eventually(() -> isAttached(lab.cableA()), "XDP is attached");
            Capture capture = lab.capture(lab.cableA());
            sender.send(FROM, Lab.B, TO, 100, 64);
            run.destroy();
            Outcome outcome = end(run);
            assertThat(outcome.status()).as(outcome.toString()).isZero();
            sender.send(FROM, Lab.B, TO, 100, 64);
            run = run("-i", lab.cableA());
            try (RemoteJmx jmx = connect(run.pid())) {
                sender.send(FROM, Lab.B, TO, 100, 64);
                Jmx.eventually(() -> jmx.attribute("FlowTable", "BypassedPackets").equals(300L), "all are counted");
                assertThat(jmx.attribute("FlowTable", "UnaccountedPackets")).isEqualTo(0L);
                assertThat(jmx.attribute("Policy,name=idle", "UdpSeconds")).isEqualTo(77);
            }
            assertThat(capture.seen(FROM, TO)).isZero();
            Outcome off = end(start(FLOWBYPASS, "off"));
            assertThat(off.status()).as(off.toString()).isZero();
            assertThat(off.out()).contains("Stopping Felix", lab.cableA());
            assertThat(isAttached(lab.cableA())).isFalse();
            assertThat(leftBehind()).isEqualTo("[]");
            sender.send(FROM, Lab.B, TO, 100, 64);
            Jmx.eventually(() -> capture.seen(FROM, TO) == 100, "the monitor sees it again");
        }
    }

    @Test
    void withoutOneOfItsCapabilitiesItIsRefusedByNameAndTheKernelRefusesItToo() throws Exception {
        List<String> needed = unit("AmbientCapabilities");
        // The checkout may be in a home that only its owner may enter.
        inside("cp " + Path.of("../bpf/target/classes/flowbypass.bpf.o").toRealPath() + " /run");
        String[] load = {"bpftool", "prog", "load", "/run/flowbypass.bpf.o", "/sys/fs/bpf/flowbypass/probe", "type", "xdp"};
        Outcome all = end(start(asUser(needed, load)));
        assertThat(all.status()).as(all.toString()).isZero();
        inside("rm /sys/fs/bpf/flowbypass/probe");
        try (Lab lab = new Lab()) {
            for (String one : needed) {
                List<String> others = needed.stream().filter(each -> !each.equals(one)).toList();
                Outcome refused = end(start(asUser(others, FLOWBYPASS, "run", "-i", lab.cableA())));
                refuses(refused, "lacks " + one + ":");
                assertThat(end(start(asUser(others, load))).status()).as("without " + one).isNotZero();
                assertThat(end(start(asUser(others, FLOWBYPASS, "doctor"))).out()).contains("(" + one + "): ");
            }
            refuses(end(start(asUser(List.of(), FLOWBYPASS, "run", "-i", lab.cableA()))), needed.toArray(String[]::new));
            assertThat(isAttached(lab.cableA())).isFalse();
        }
        assertThat(end(start(asUser(needed, FLOWBYPASS, "doctor"))).status()).isZero();
    }

    @Test
    void whereItMayNotPinOrRunItSaysWhatRootHasToDo() throws Exception {
        try (Lab lab = new Lab()) {
            inside("chmod 0700 /sys/fs/bpf");
            refuses(end(run("-i", lab.cableA())), "may not pin in /sys/fs/bpf/flowbypass", "install -d -o");
            inside("chmod 0710 /sys/fs/bpf; chown root /run/flowbypass");
            refuses(end(run("-i", lab.cableA())), "/run/flowbypass belongs to user 0");
            inside("rmdir /run/flowbypass");
            refuses(end(run("-i", lab.cableA())), "may not make /run/flowbypass", "install -d -o");
            assertThat(isAttached(lab.cableA())).isFalse();
        }
    }

    @Test
    void toTakeItOffTheUserNeedsNoCapability() throws Exception {
        try (Lab lab = new Lab()) {
            // What it logs is not to get between the words of those that follow.
            Process run = start(asUser(unit("AmbientCapabilities"), "sh", "-c",
                    "exec " + FLOWBYPASS + " run -i " + lab.cableA() + " >/dev/null 2>&1"));
            connect(run.pid()).close();
            Jmx.eventually(() -> isAttached(lab.cableA()), "XDP is attached");
            refuses(end(start("setpriv", "--reuid=65534", "--clear-groups", FLOWBYPASS, "off")), "needs root");
            Outcome off = end(start(asUser(List.of(), FLOWBYPASS, "off")));
            assertThat(off.status()).as(off.toString()).isZero();
            assertThat(run.isAlive()).isFalse();
            assertThat(isAttached(lab.cableA())).isFalse();
            assertThat(inside("find /sys/fs/bpf/flowbypass")).as("root's to remove").isEqualTo("/sys/fs/bpf/flowbypass\n");
        }
    }

    @Test
    void offloadsAreSwitchedOffByTheUserAndOnAgainByOff() throws Exception {
        try (Lab lab = new Lab()) {
            inside("ethtool -K " + lab.cableA() + " gro on");
            Process run = run("-i", lab.cableA(), "--mode", "generic", "--fix-offloads");
            connect(run.pid()).close();
            Jmx.eventually(() -> isAttached(lab.cableA()), "XDP is attached");
            run.destroy();
            assertThat(end(run).status()).isZero();
            assertThat(inside("ethtool -k " + lab.cableA())).contains("generic-receive-offload: off");
            assertThat(end(start(FLOWBYPASS, "off")).status()).isZero();
            assertThat(inside("ethtool -k " + lab.cableA())).contains("generic-receive-offload: on");
        }
    }

    @Test
    void whatTheUserWroteGivesOffNothingOfOthersToClearAway() throws Exception {
        inside("mkdir -p /sys/fs/bpf/other/links /var/lib/flowbypass.abcdef /run/flowbypass/demo.1 /run/flowbypass/run.2");
        Process other = start("sleep", "1000");
        inside("for place in demo.1 run.2; do cd /run/flowbypass/$place; echo /sys/fs/bpf/other >pins;"
                + " echo /var/lib/flowbypass.abcdef >scratch;"
                + " echo " + other.pid() + " $(cut -d\\  -f22 /proc/" + other.pid() + "/stat) >owner; cp owner jvm; done;"
                + " chown -R flowbypass /run/flowbypass");
        Outcome off = end(start(FLOWBYPASS, "off"));
        assertThat(off.status()).as(off.toString()).isZero();
        assertThat(other.isAlive()).isTrue();
        assertThat(inside("ls -d /sys/fs/bpf/other/links /var/lib/flowbypass.abcdef")).isNotEmpty();
    }

    @Test
    void whatIsWrittenInEtcGivesOffNothingOfOthersToClearAway() throws Exception {
        inside("mkdir -p /sys/fs/bpf/other/links /run/dbus");
        inside("ln -s /sys/fs/bpf/other /var/lib/flowbypass/p; chown -h flowbypass /var/lib/flowbypass/p");
        Process socket = start("perl", "-MSocket", "-e", "socket(S, AF_UNIX, SOCK_STREAM, 0); bind(S, pack_sockaddr_un($_))"
                + " or die for \"/run/dbus/s\"; socket(T, AF_UNIX, SOCK_STREAM, 0); bind(T, pack_sockaddr_un($_)) or die"
                + " for \"/run/dbus/mine\"; chown scalar(getpwnam \"flowbypass\"), -1, \"/run/dbus/mine\"");
        assertThat(end(socket).status()).isZero();
        inside("ln -s /run/dbus/s /run/flowbypass/ctl.sock; chown -h flowbypass /run/flowbypass/ctl.sock");
        for (String place : List.of("/sys/fs/bpf/other", "/var/lib/flowbypass/p", "/sys/fs/bpf/other/../other",
                "/sys/fs/bpf")) {
            Outcome off = offWith(place, "/run/dbus/s");
            assertThat(off.out()).as(place).contains("Left ", "Nothing else");
            assertThat(inside("ls -d /sys/fs/bpf/other/links /run/dbus/s")).as(place).isNotEmpty();
        }
        inside("mkdir -p /sys/fs/bpf/mine/links; chown flowbypass /sys/fs/bpf/mine");
        assertThat(offWith("/sys/fs/bpf/mine", "/run/dbus/mine").out()).contains("Removed the pins in /sys/fs/bpf/mine");
        assertThat(inside("ls -d /sys/fs/bpf/mine /run/dbus/mine 2>/dev/null || true")).as("its own").isEmpty();
    }

    private Outcome offWith(String pins, String socket) throws Exception {
        inside("sed -i \"s|^pin.root.*|pin.root = " + pins + "|\" /opt/flowbypass/etc/io.flowbypass.xdp.cfg");
        inside("sed -i \"s|^socket.path.*|socket.path = " + socket + "|\" /opt/flowbypass/etc/io.flowbypass.control.cfg");
        inside("chown -R flowbypass /opt/flowbypass/etc");
        Outcome off = end(start(FLOWBYPASS, "off"));
        assertThat(off.status()).as(off.toString()).isZero();
        return off;
    }

    @Test
    void linksThatTheUserMadeLeadOffToNothingOfOthers() throws Exception {
        Process other = start("sleep", "1000");
        inside("mkdir -p /sys/fs/bpf/other/links /run/other; cd /run/other; echo " + other.pid()
                + " $(cut -d\\  -f22 /proc/" + other.pid() + "/stat) >owner; cp owner jvm");
        inside("ln -s /sys/fs/bpf/other /run/flowbypass/p; ln -s /run/other /run/flowbypass/run.8;"
                + " ln -s /sys/fs/bpf/other /sys/fs/bpf/flowbypass-demo-77;"
                + " ln -s /sys/fs/bpf/other /sys/fs/bpf/flowbypass/links; ln -s /sys/fs/bpf /sys/fs/bpf/flowbypass/classic;"
                + " mkdir /run/flowbypass/run.9 /run/flowbypass/demo.9; cd /run/flowbypass/run.9;"
                + " echo /run/flowbypass/p >pins; cp pins ../demo.9; chown -Rh flowbypass /run/flowbypass"
                + " /sys/fs/bpf/flowbypass-demo-77 /sys/fs/bpf/flowbypass");
        Outcome off = end(start(FLOWBYPASS, "off"));
        assertThat(off.status()).as(off.toString()).isZero();
        assertThat(other.isAlive()).isTrue();
        assertThat(inside("ls -d /sys/fs/bpf/other/links /run/other/owner")).isNotEmpty();
        assertThat(inside("ls /sys/fs/bpf/flowbypass /run/flowbypass 2>/dev/null || true")).isEmpty();
    }

    @Test
    void whatTheUserNotedOfOffloadsIsNoCommandOfRoots() throws Exception {
        inside("echo $(stat -L -c %i /proc/self/ns/net) \"lo x//;e touch /run/done #\" >/run/flowbypass/offloads;"
                + " chown flowbypass /run/flowbypass/offloads");
        Outcome off = end(start(FLOWBYPASS, "off"));
        assertThat(off.status()).as(off.toString()).isZero();
        assertThat(inside("ls /run/done 2>/dev/null || true")).isEmpty();
        assertThat(off.out()).contains("Left out a line");
    }

    @Test
    void whatTheGuidesLinkToIsInTheTarGz() throws Exception {
        String names = inside("cd /opt/flowbypass/docs; ls");
        assertThat(names).contains("guide.md", "operate.md", "records.md");
        for (String name : names.split("\n")) {
            Matcher link = Pattern.compile("\\]\\(([^:)#]+\\.md)").matcher(inside("cat /opt/flowbypass/docs/" + name));
            while (link.find()) {
                String there = link.group(1);
                // jconsole.md has its pictures beside it in the sources.
                if (!there.equals("jconsole.md") && Files.exists(Path.of("../docs").resolve(there))) {
                    inside("ls /opt/flowbypass/docs/" + there);
                }
            }
        }
    }

    @Test
    void aMonitorsGroupMayAskOnceTheServiceIsInIt() throws Exception {
        inside("groupadd --system zeek");
        String commands = guide("Let a monitor ask").get(0);
        String[] ask = {"setpriv", "--reuid=65534", "--regid=zeek", "--clear-groups", FLOWBYPASS, "ctl", "ping"};
        try (Lab lab = new Lab()) {
            does(commands.lines().findFirst().orElseThrow());
            Process run = run("-i", lab.cableA());
            Jmx.eventually(() -> said("error").contains("SupplementaryGroups=zeek"), "the log says what to do");
            run.destroy();
            assertThat(end(run).status()).isZero();
            does(commands.replaceAll("(?m)^systemctl .*", ""));
            run = run("-i", lab.cableA());
            Jmx.eventually(() -> inside("stat -c \"%A %G\" /run/flowbypass/ctl.sock 2>&1 || true")
                    .equals("srw-rw---- zeek\n"), "the socket is the group's");
            assertThat(end(start(ask)).status()).isZero();
            ask[2] = "--regid=65534";
            assertThat(end(start(ask)).status()).as("another group").isNotZero();
            run.destroy();
            end(run);
        }
    }

    @Test
    void everyJavaOfThisMachineRunsItWithoutAWarning() throws Exception {
        try (Lab lab = new Lab()) {
            for (String java : inside("for home in /usr/lib/jvm/*; do [ -L $home ] || [ ! -x $home/bin/java ]"
                    + " || echo $home; done").lines().toList()) {
                Process run = start(asUser(unit("AmbientCapabilities"), "env", "JAVA_HOME=" + java, FLOWBYPASS, "run", "-i",
                        lab.cableA()));
                connect(run.pid()).close();
                assertThat(ProcessHandle.of(jvm(run.pid())[0]).orElseThrow().info().command()).contains(java + "/bin/java");
                run.destroy();
                Outcome outcome = end(run);
                assertThat(outcome.status()).as(outcome.toString()).isZero();
                assertThat(outcome.error()).as(java).contains("active policies").doesNotContainIgnoringCase("warning");
            }
        }
    }
}
