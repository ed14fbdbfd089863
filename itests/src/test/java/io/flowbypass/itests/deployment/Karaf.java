// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Ports;
import io.flowbypass.itests.lab.Reaper;
import io.flowbypass.itests.lab.Shell;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Apache Karaf as it is downloaded, unpacked, with free ports on the loopback, a user for each role of JMX, and no Maven
 * repository but its own directories.
 */
final class Karaf {
    /** What was built for it. */
    static final Path KAR = Path.of("../felix-config/karaf/target/io.flowbypass.karaf-0.1.0-SNAPSHOT.kar").toAbsolutePath()
            .normalize();
    private static final Path DOWNLOAD = Path.of("target/karaf/apache-karaf.tar.gz");
    private static final String PASSWORD = "only-for-this-test";
    private static final long LIMIT_SECONDS = 30;

    private final CommandLab place;
    private final Path home;
    private final int ssh;
    private final int registry;
    private final List<Reaper> reapers = new ArrayList<>();
    private Process process;

    Karaf(CommandLab place, Path directory) throws IOException {
        this.place = place;
        home = Files.createDirectory(directory.resolve("karaf"));
        Shell.run("tar -xzf " + DOWNLOAD + " -C " + home + " --strip-components=1");
        ssh = Ports.free();
        registry = Ports.free();
        set("org.apache.karaf.shell", "sshHost", "127.0.0.1");
        set("org.apache.karaf.shell", "sshPort", Integer.toString(ssh));
        set("org.apache.karaf.management", "rmiRegistryPort", Integer.toString(registry));
        set("org.apache.karaf.management", "rmiServerPort", Integer.toString(Ports.free()));
        Files.write(file("org.ops4j.pax.url.mvn.cfg"), List.of("org.ops4j.pax.url.mvn.useFallbackRepositories = false",
                "org.ops4j.pax.url.mvn.repositories =",
                "org.ops4j.pax.url.mvn.localRepository = ${karaf.data}/repository",
                "org.ops4j.pax.url.mvn.defaultRepositories = ${karaf.home.uri}system@id=system@snapshots,"
                        + "${karaf.data.uri}kar@id=kar@multi@snapshots"));
        append("users.properties", "viewer = " + PASSWORD + ",viewer", "manager = " + PASSWORD + ",viewer,manager",
                "admin = " + PASSWORD + ",viewer,manager,admin,group,systembundles,ssh");
    }

    private Path file(String name) {
        return home.resolve("etc").resolve(name);
    }

    /** Adds lines to a file in etc. */
    void append(String name, String... lines) throws IOException {
        Files.write(file(name), List.of(lines), StandardOpenOption.APPEND);
    }

    private void set(String pid, String key, String value) throws IOException {
        String text = configuration(pid);
        String changed = text.replaceFirst("(?m)^" + key.replace(".", "\\.") + "\\s*=.*$", key + " = " + value);
        assertThat(changed).as(key).isNotEqualTo(text);
        write(pid, changed);
    }

    /** A configuration file's text. */
    String configuration(String pid) throws IOException {
        return Files.readString(file(pid + ".cfg"));
    }

    /** The flow records that it wrote, or nothing. */
    String records() throws IOException {
        Path file = home.resolve("records/flows.json");
        return Files.exists(file) ? Files.readString(file) : "";
    }

    /** Writes it, as an editor does. */
    void write(String pid, String text) throws IOException {
        Files.writeString(file(pid + ".cfg"), text);
    }

    /** The names in etc. */
    List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(home.resolve("etc"))) {
            return files.map(path -> path.getFileName().toString()).toList();
        }
    }

    /** What it logged, and printed before it had a log. */
    String said() throws IOException {
        return Files.readString(home.resolve("console")) + Files.readString(home.resolve("data/log/karaf.log"));
    }

    /** Puts what the KAR has where a Maven repository of one's own would be. */
    void unpackKarIntoSystem() {
        Shell.run("cd " + home + "/system && jar -xf " + KAR + " repository && cp -r repository/. . && rm -r repository");
    }

    /** Starts it; returns when its console answers. */
    void start() throws Exception {
        process = place.start("sh", "-c", "JAVA_HOME=" + System.getProperty("java.home") + " exec " + home
                + "/bin/karaf daemon >>" + home + "/console 2>&1");
        reapers.add(new Reaper("grep -qs " + home + " /proc/" + process.pid()
                + "/cmdline && kill -9 " + process.pid()));
        Jmx.eventually(() -> bundles().contains("org.apache.karaf."), "Karaf's console answers");
    }

    long pid() {
        return process.pid();
    }

    /** Types a line after the other into its console; returns what the last one said. */
    String client(String... lines) throws Exception {
        String said = "";
        for (String line : lines) {
            CommandLab.Outcome outcome = ask(line);
            assertThat(outcome.status()).as(line + " says " + outcome).isZero();
            said = outcome.out();
        }
        return said;
    }

    /** With its input left open: the end of it would end the command. */
    private CommandLab.Outcome ask(String line) throws Exception {
        return place.end(place.start("sh", "-c", "JAVA_HOME=" + System.getProperty("java.home") + " exec " + home
                + "/bin/client -h 127.0.0.1 -a " + ssh + " -u admin -p " + PASSWORD + " \"$0\"", line));
    }

    String bundles() throws Exception {
        return ask("bundle:list -t 0 -s --no-ellipsis").out();
    }

    /** Its MBeans, as a user of a role. */
    RemoteJmx connect(String user) throws Exception {
        return new RemoteJmx("service:jmx:rmi:///jndi/rmi://127.0.0.1:" + registry + "/karaf-root", user, PASSWORD);
    }

    /** The addresses on which it listens. */
    List<String> listensOn() {
        return Shell.run("ss -Hltnp | grep pid=" + process.pid() + ",").lines().map(line -> line.strip().split("\\s+")[3])
                .toList();
    }

    /** Stops it as bin/stop does. */
    void stop() throws Exception {
        process.destroy();
        assertThat(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)).as("Karaf ends").isTrue();
    }

    void close() throws Exception {
        if (process != null) {
            stop();
        }
        reapers.forEach(Reaper::close);
    }
}
