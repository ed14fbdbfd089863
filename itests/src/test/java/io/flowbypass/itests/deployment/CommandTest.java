// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.tools.attach.VirtualMachine;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.OtherProgram;
import io.flowbypass.itests.lab.Reaper;
import io.flowbypass.itests.lab.Shell;
import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.Bpf.XdpMode;
import io.flowbypass.libbpf.Host;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.management.Attribute;
import javax.management.InstanceNotFoundException;
import javax.management.MBeanParameterInfo;
import javax.management.MBeanServerConnection;
import javax.management.ObjectName;
import javax.management.openmbean.CompositeData;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;
import org.junit.jupiter.api.Test;

/** The script as a user starts it. */
class CommandTest extends CommandLab {
    @Test
    void wrongArgumentsAreRefusedInASentence() throws Exception {
        refuses(flowbypass("frobnicate"), "frobnicate", "help");
        refuses(flowbypass("run"), "-i IFACE");
        refuses(flowbypass("run", "-i"), "-i needs a value");
        refuses(flowbypass("run", "-i", "nosuch0"), "no interface \"nosuch0\"", "lo");
        refuses(flowbypass("run", "-i", "lo", "--mode", "turbo"), "native or generic");
        refuses(flowbypass("demo", "--for", "0"), "--for");
        refuses(flowbypass("demo", "--for", "soon"), "--for");
        refuses(flowbypass("demo", "--report", "/nosuch/r.json"), "/nosuch/r.json");
        refuses(flowbypass("bench", "--fast"), "no option \"--fast\"");
        refuses(flowbypass("bench", "--json"), "--json needs a value");
        refuses(flowbypass("bench", "--json", "/nosuch/r.json"), "/nosuch/r.json");
        refuses(flowbypass("bench", "Maps"), "lower-case letters", "\"Maps\"");
        refuses(flowbypass("off", "now"), "off takes no arguments");
    }

    @Test
    void missingPackagesAreOnlyNamedWhenInstallingIsForbidden() throws Exception {
        Files.createDirectory(directory.resolve("bin"));
        String hidden = "for tool in bash sh env dirname grep sed cut tr cat readlink stat find apt-get id; do"
                + " ln -s $(command -v $tool) bin/; done; export PATH=$PWD/bin FLOWBYPASS_INSTALL=no;";
        refuses(run(hidden, "demo", "--for", "10"), "apt-get install -y --no-install-recommends", "maven", "clang",
                "tcpdump");
    }

    @Test
    void doctorNamesWhatThisMachineHas() throws Exception {
        Outcome outcome = flowbypass("doctor");
        assertThat(outcome.status()).as(outcome.toString()).isZero();
        assertThat(outcome.out()).contains("kernel", "BTF", "CAP_BPF", "bpffs", "libbpf.so.1", "JDK", "clang");
        Outcome loopback = flowbypass("doctor", "-i", "lo");
        assertThat(loopback.status()).isNotZero();
        assertThat(loopback.out()).contains("loopback");
    }

    @Test
    void anInterfaceThatCarriesAnAddressOfThisMachineIsRefused() throws Exception {
        try (Lab lab = new Lab()) {
            Shell.run("ip address add 203.0.113.77/32 dev " + lab.cableA());
            Outcome outcome = flowbypass("run", "-i", lab.cableA());
            refuses(outcome, lab.cableA(), "203.0.113.77", "--inline-anyway");
            assertThat(outcome.error()).as("it is said once").containsOnlyOnce("203.0.113.77");
            assertThat(Shell.run("ip -d link show dev " + lab.cableA())).doesNotContain("xdp");
        }
    }

    @Test
    void anotherProgramIsReplacedOnlyWhenToldTo() throws Exception {
        try (Lab lab = new Lab(); OtherProgram other = new OtherProgram()) {
            Bpf.attachXdpWithoutLink(other.program(), Host.interfaceIndex(lab.cableA()).orElseThrow(), XdpMode.NATIVE);
            refuses(flowbypass("run", "-i", lab.cableA()), "Another XDP program, " + other.named(), "--replace-other");
            start("./flowbypass", "run", "-i", lab.cableA(), "--replace-other");
            eventuallyShown(lab.cableA() + " native true ");
        }
    }

    @Test
    void aMissingCapabilityIsNamed() throws Exception {
        try (Lab lab = new Lab()) {
            Process process = start("setpriv", "--bounding-set=-bpf,-sys_admin", "./flowbypass", "run", "-i",
                    lab.cableA());
            refuses(end(process), "CAP_BPF");
        }
    }

    @Test
    void runCutsUntilOffAndOffWorksWithTheJvmDead() throws Exception {
        try (Lab lab = new Lab()) {
            Process run = start("./flowbypass", "run", "-i", lab.cableA(), "--mode", "native");
            Jmx.eventually(() -> xdp(lab).contains("prog/xdp") && said("out").contains("jconsole"),
                    "XDP is attached, and it is said how to look at it");
            Path socket = Path.of("/tmp/.java_pid" + jvm());
            VirtualMachine.attach(jvm()).detach();
            assertThat(socket).exists();
            Shell.run("kill -9 " + jvm());
            refusesToGoOn(end(run));
            assertThat(socket).as("what a client of JMX made").doesNotExist();
            assertThat(xdp(lab)).as("the links stay").contains("prog/xdp");
            inside("mkdir -p /run/flowbypass");
            Outcome off = flowbypass("off");
            assertThat(leftBehind()).isEqualTo("[]");
            assertThat(off.status()).isZero();
            assertThat(off.out()).contains(lab.cableA()).contains("Removed the pins");
            assertThat(xdp(lab)).doesNotContain("prog/xdp");
        }
    }

    @Test
    void aCheckoutThatSudoTestsStaysItsOwners() throws Exception {
        Outcome outcome = run("mkdir -p bin bpf/target && printf '#!/bin/sh\\n' >bin/mvn && chmod +x bin/mvn && chown 4711 ."
                + " && export PATH=$PWD/bin:$PATH SUDO_UID=4711 FLOWBYPASS_INSTALL=no;", "test");
        assertThat(outcome.status()).as(outcome.toString()).isZero();
        assertThat(Shell.run("stat -c %u " + directory + "/bpf/target " + directory + "/felix-config/target/flowbypass"))
                .isEqualTo("4711\n4711\n");
    }

    @Test
    void namesAreThoseOfTheNetworkNamespaceAndNotOfSysfs() throws Exception {
        Outcome there = end(start("unshare", "--net", "sh", "-c",
                "ip link add fb0 mtu 4400 type bridge; exec ./flowbypass doctor -i fb0"));
        assertThat(there.out()).contains("fb0 is there, but down", "fb0 has MTU 4400");
        refuses(end(start("unshare", "--net", "./flowbypass", "run", "-i", "fb0")), "\"fb0\"", "it has: lo.");
    }

    @Test
    void whatCannotBeLoadedIsNamed() throws Exception {
        try (Lab lab = new Lab()) {
            refuses(run("mkdir noexec && mount -t tmpfs -o noexec tmpfs noexec && export TMPDIR=$PWD/noexec;", "run", "-i",
                    lab.cableA()), "jna.tmpdir", "TMPDIR");
            assertThat(said("error")).doesNotContain("libbpf1");
            refuses(run("touch empty && mount --bind empty $(readlink -f $(ldconfig -p | sed -n 's/.*libbpf.so.1 .*=> //p'"
                    + " | head -n 1));", "run", "-i", lab.cableA()), "libbpf.so.1", "install the package libbpf1");
        }
    }

    @Test
    void anErrorInTheConfigurationOfARunningInterfaceIsReportedAndXdpGoesOn() throws Exception {
        String bridge = "fb" + ProcessHandle.current().pid();
        Reaper reaper = new Reaper("ip link del " + bridge);
        try {
            Shell.run("ip link add " + bridge + " up type bridge && ethtool -K " + bridge + " gro off");
            // Looking needs less than mounting.
            Process run = start("setpriv", "--bounding-set=-sys_admin", "./flowbypass", "run", "-i", bridge);
            eventuallyShown(bridge + " generic true ");
            setMode("turbo");
            eventuallyShown(bridge + " generic true mode is \"turbo\"");
            assertThat(said("error")).contains("XDP runs on " + bridge + ", but not as configured. mode is \"turbo\"");
            setMode("native");
            eventuallyShown(bridge + " generic true The driver of " + bridge);
            setMode("generic");
            Jmx.eventually(() -> shown().equals(bridge + " generic true "), "all is well");
            assertThat(run.isAlive()).isTrue();
            run.destroy();
            assertThat(end(run).status()).isZero();
        } finally {
            reaper.close();
        }
    }

    @Test
    void theProcessThatIsSaidTakesClients() throws Exception {
        try (Lab lab = new Lab()) {
            Files.createDirectories(directory.resolve("slow/bin"));
            Files.writeString(directory.resolve("slow/bin/java"), "#!/bin/sh\ncase $* in *felix.jar*) sleep 1;; esac\nexec '"
                    + Path.of(System.getProperty("java.home"), "bin/java") + "' \"$@\"\n");
            Shell.run("chmod +x " + directory.resolve("slow/bin/java"));
            start("env", "JAVA_HOME=" + directory.resolve("slow"), "./flowbypass", "run", "-i", lab.cableA());
            Jmx.eventually(() -> said("out").contains("jconsole"), "its process is said");
            // The first client need not wait for the second SIGQUIT, which comes after 5 s, or fail.
            assertThat(InstalledLab.takesClients(Long.parseLong(jvm()))).isTrue();
        }
    }

    @Test
    void runTakesSeveralInterfaces() throws Exception {
        try (Lab lab = new Lab()) {
            start("./flowbypass", "run", "-i", lab.cableA(), "-i", lab.cableB());
            eventuallyShown(lab.cableA() + " native true ");
            eventuallyShown(lab.cableB() + " native true ");
        }
    }

    @Test
    void aRunningFlowbypassTakesCommands() throws Exception {
        refuses(flowbypass("shell", "flow:list"), "no Flowbypass runs here");
        try (Lab lab = new Lab()) {
            start("./flowbypass", "run", "-i", lab.cableA());
            eventuallyShown(lab.cableA() + " native true ");
            Jmx.eventually(() -> inside("ls -l /run/flowbypass/run.*/shell.sock 2>&1 || true").startsWith("srw-------"),
                    "the shell, which Felix starts by itself, is there");
            assertThat(flowbypass("shell", "xdp:status").out()).startsWith(lab.cableA() + ": attached, native mode");
            assertThat(flowbypass("shell", "flow:list", "--help").out()).contains("usage: flow:list");
            Outcome wrong = flowbypass("shell", "xdp:attach", "nosuch0");
            assertThat(wrong.status()).isEqualTo(1);
            assertThat(wrong.error()).contains("nosuch0");
        }
    }

    /** FileInstall sees some time later that the file of what was detached is gone, at the look that finds another file. */
    @Test
    void whatIsDetachedAndAttachedAtOnceStaysAttached() throws Exception {
        try (Lab lab = new Lab()) {
            start("./flowbypass", "run", "-i", lab.cableA());
            eventuallyShown(lab.cableA() + " native true ");
            ObjectName xdp = new ObjectName("io.flowbypass:type=Xdp");
            jmx(jvm(), server -> invoke(server, xdp, "detach", Map.of("interface", lab.cableA())));
            jmx(jvm(), server -> invoke(server, xdp, "attach", Map.of("interface", lab.cableA(), "mode", "")));
            inside("cd /run/flowbypass/run.*/etc; echo interface = " + lab.cableB()
                    + " >io.flowbypass.xdp.interface-" + lab.cableB() + ".cfg");
            eventuallyShown(lab.cableB() + " native true ");
            assertThat(shown()).contains(lab.cableA() + " native true ");
        }
    }

    @Test
    void whatAnEarlierRunLeftIsShownAndCanBeDetached() throws Exception {
        try (Lab lab = new Lab()) {
            Process first = start("./flowbypass", "run", "-i", lab.cableA());
            eventuallyShown(lab.cableA() + " native true ");
            first.destroy();
            assertThat(end(first).status()).isZero();
            start("./flowbypass", "run", "-i", lab.cableB());
            eventuallyShown(lab.cableB() + " native true \n" + lab.cableA() + " native true No configuration: ");
            assertThat(said("error")).containsOnlyOnce("WARNING").contains("XDP runs on " + lab.cableA() + ". No config");
            ObjectName xdp = new ObjectName("io.flowbypass:type=Xdp");
            jmx(jvm(), server -> invoke(server, xdp, "detach", Map.of("interface", lab.cableA())));
            assertThat(shown()).isEqualTo(lab.cableB() + " native true ");
            assertThat(xdp(lab)).doesNotContain("prog/xdp");
        }
    }

    @Test
    void whatChangesPacketsBeforeXdpIsSwitchedOffUntilOff() throws Exception {
        try (Lab lab = new Lab()) {
            String changed = lab.cableA();
            String untouched = lab.cableB();
            Shell.run("ethtool -K " + changed + " gro on rxvlan on");
            String before = features(changed) + features(untouched);
            trackVlans();
            assertThat(flowbypass("doctor", "-i", changed).out()).contains("ethtool -K " + changed + " gro off",
                    "refused  " + changed + " takes the VLAN tags");
            refuses(flowbypass("run", "-i", changed, "--mode", "generic"), "GRO", "--fix-offloads");
            assertThat(features(changed) + features(untouched)).as("a refusal changes nothing").isEqualTo(before);
            Process run = start("./flowbypass", "run", "-i", changed, "-i", untouched, "--mode", "generic",
                    "--fix-offloads");
            eventuallyShown(changed + " generic true ");
            assertThat(features(changed)).contains("generic-receive-offload: off", "rx-vlan-offload: off");
            Shell.run("kill -9 " + jvm());
            refusesToGoOn(end(run));
            assertThat(features(changed)).as("until off").contains("generic-receive-offload: off", "rx-vlan-offload: off");
            Outcome off = flowbypass("off");
            assertThat(off.status()).as(off.toString()).isZero();
            assertThat(off.out()).contains("Switched generic-receive-offload of " + changed + " on again",
                    "Switched rx-vlan-offload of " + changed + " on again").doesNotContain("of " + untouched);
            assertThat(features(changed) + features(untouched)).isEqualTo(before);
            assertThat(leftBehind()).isEqualTo("[]");
        }
    }

    @Test
    void nativeModeAndPlainKeysNeedNothingSwitchedOff() throws Exception {
        try (Lab lab = new Lab()) {
            Shell.run("ethtool -K " + lab.cableA() + " gro on rxvlan on");
            String before = features(lab.cableA());
            start("./flowbypass", "run", "-i", lab.cableA(), "--mode", "native", "--fix-offloads");
            eventuallyShown(lab.cableA() + " native true ");
            assertThat(features(lab.cableA())).isEqualTo(before);
        }
    }

    @Test
    void fixingOffloadsAsksForEthtool() throws Exception {
        try (Lab lab = new Lab()) {
            String hidden = "mkdir bin; find $(echo $PATH | tr : \\  ) -maxdepth 1 ! -name ethtool ! -type d"
                    + " -exec ln -s -t bin {} + 2>/dev/null; export PATH=$PWD/bin FLOWBYPASS_INSTALL=no;";
            refuses(run(hidden, "run", "-i", lab.cableA(), "--fix-offloads"),
                    "apt-get install -y --no-install-recommends ethtool");
        }
    }

    private void trackVlans() throws IOException {
        Files.writeString(directory.resolve("felix-config/target/flowbypass/etc/io.flowbypass.xdp.cfg"),
                "\nvlan.tracking = true\n", StandardOpenOption.APPEND);
    }

    private static String features(String name) {
        return Shell.run("ethtool -k " + name);
    }

    private void setMode(String mode) {
        inside("sed -i \"s/^mode.*/mode = " + mode + "/\" /run/flowbypass/run.*/etc/*.cfg");
    }

    private void eventuallyShown(String text) {
        Jmx.eventually(() -> said("out").contains("jconsole") && shown().contains(text), text);
    }

    /** The interfaces as a JMX client sees them, one a line: name, mode, whether attached, problem. */
    private String shown() throws Exception {
        try {
            CompositeData[] all = jmx(jvm(), server -> (CompositeData[]) server.getAttribute(
                    new ObjectName("io.flowbypass:type=Xdp"), "Interfaces"));
            assertThat(all).allMatch(one -> one.get("tag").toString().length() == 16, "shows the program's tag");
            return Stream.of(all).map(one -> one.get("name") + " " + one.get("mode") + " " + one.get("attached") + " "
                    + one.get("problem")).collect(Collectors.joining("\n"));
        } catch (InstanceNotFoundException notYet) {
            return "";
        }
    }

    private String jvm() throws IOException {
        return said("out").replaceFirst("(?s).*jconsole (\\d+).*", "$1");
    }

    private static void refusesToGoOn(Outcome outcome) {
        assertThat(outcome.status()).as(outcome.toString()).isNotZero();
        assertThat(outcome.error()).contains("Felix ended by itself");
    }

    private static String xdp(Lab lab) {
        return Shell.run("ip -d link show dev " + lab.cableA());
    }

    @Test
    void theDemoCutsExpiresAccountsAndLeavesNothingAndAJmxClientCanAttachMeanwhile() throws Exception {
        Process demo = start("./flowbypass", "demo", "--for", "15", "--report", "r.json");
        Jmx.eventually(() -> said("out").contains("XDP runs on") && said("out").contains("jconsole"), "the demo runs");
        jmx(jvm(), this::use);
        Outcome outcome = end(demo);
        assertThat(outcome.status()).as(outcome.toString()).isZero();
        String report = said("r.json");
        assertThat(report).contains("\"result\": \"ok\"").contains("\"packetsUnaccounted\": 0");
        assertThat(number(report, "packetsCut")).isGreaterThan(10_000);
        assertThat(number(report, "flowsEnded")).isPositive();
        assertThat(number(report, "packetsTapped"))
                .isEqualTo(number(report, "packetsSeen") + number(report, "packetsCut"));
        assertThat(leftBehind()).isEqualTo("[]");
    }

    /** What is done with a connection. */
    private interface Use<T> {
        T with(MBeanServerConnection server) throws Exception;
    }

    /** Connects as JConsole does. */
    private static <T> T jmx(String pid, Use<T> use) throws Exception {
        VirtualMachine jvm = VirtualMachine.attach(pid);
        try (JMXConnector connector = JMXConnectorFactory.connect(new JMXServiceURL(jvm.startLocalManagementAgent()))) {
            return use.with(connector.getMBeanServerConnection());
        } finally {
            jvm.detach();
        }
    }

    /** What a person does in JConsole, found by the names that JConsole shows. */
    private Void use(MBeanServerConnection server) throws Exception {
        ObjectName flows = new ObjectName("io.flowbypass:type=FlowTable");
        assertThat(server.getAttribute(flows, "UnaccountedPackets")).isEqualTo(0L);
        assertThat(call(server, flows, "bypass")).startsWith("bypassed UDP 203.0.113.5:1000 > 203.0.113.6:2000");
        assertThat(call(server, flows, "find")).startsWith("UDP 203.0.113.5:1000 > 203.0.113.6:2000");
        assertThat(call(server, flows, "release")).contains("RELEASED");
        assertThat(call(server, flows, "find")).startsWith("not bypassed");
        ObjectName idle = new ObjectName("io.flowbypass:type=Policy,name=idle");
        server.setAttribute(idle, new Attribute("UdpSeconds", 2));
        assertThat(server.getAttribute(idle, "UdpSeconds")).isEqualTo(2);
        Jmx.eventually(() -> inside("cat /run/flowbypass/demo.*/etc/io.flowbypass.policy.idle.cfg")
                .contains("udp.seconds = 2\n"), "the file has it");
        return null;
    }

    private static String call(MBeanServerConnection server, ObjectName name, String operation) throws Exception {
        return invoke(server, name, operation, Map.of("protocol", "UDP", "source", "203.0.113.5", "sourcePort", 1000,
                "destination", "203.0.113.6", "destinationPort", 2000));
    }

    private static String invoke(MBeanServerConnection server, ObjectName name, String operation,
            Map<String, Object> values) throws Exception {
        MBeanParameterInfo[] parameters = Stream.of(server.getMBeanInfo(name).getOperations())
                .filter(info -> info.getName().equals(operation)).findFirst().orElseThrow().getSignature();
        return (String) server.invoke(name, operation,
                Stream.of(parameters).map(parameter -> values.get(parameter.getName())).toArray(),
                Stream.of(parameters).map(MBeanParameterInfo::getType).toArray(String[]::new));
    }

    @Test
    void aDemoThatIsKilledLeavesNothing() throws Exception {
        Process demo = start("./flowbypass", "demo", "--for", "60");
        Jmx.eventually(() -> said("out").contains("jconsole"), "the demo runs");
        demo.destroyForcibly().waitFor();
        Jmx.eventually(() -> leftBehind().equals("[]"), "the watchdog cleans up");
    }

    @Test
    void aProcessRunsUntilItsLastThreadHasEnded() throws Exception {
        Process half = start(Path.of("target/programs/half_ended").toAbsolutePath().toString());
        Jmx.eventually(() -> inside("cut -d\" \" -f3 /proc/" + half.pid() + "/stat").equals("Z\n"), "it looks like a zombie");
        inside("mkdir -p /run/flowbypass/demo.999999 && cut -d\" \" -f1,22 /proc/" + half.pid()
                + "/stat >/run/flowbypass/demo.999999/jvm");
        Outcome off = flowbypass("off");
        assertThat(off.status()).as(off.toString()).isZero();
        assertThat(off.out()).contains("Stopping Felix, process " + half.pid());
        assertThat(half.waitFor(30, TimeUnit.SECONDS)).as("it was stopped").isTrue();
    }

    private static long number(String json, String name) {
        return Long.parseLong(json.replaceFirst("(?s).*\"" + name + "\": (\\d+).*", "$1"));
    }
}
