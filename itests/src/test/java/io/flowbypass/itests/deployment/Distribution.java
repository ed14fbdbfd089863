// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Reaper;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.apache.felix.framework.FrameworkFactory;
import org.apache.felix.main.AutoProcessor;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.wiring.FrameworkWiring;

/**
 * What {@code felix-config} assembled, started in this JVM as {@code bin/felix.jar} would start it, with a private copy of
 * its configuration. From outside a bundle can be refreshed that a test inside would be wired to.
 */
final class Distribution {
    /** Where its pins are. */
    static final Path PIN_ROOT = Path.of("/sys/fs/bpf/flowbypass-deployment");
    private static final Path HOME = Path.of("../felix-config/target/flowbypass").toAbsolutePath().normalize();
    private static final String LOAD = "org.apache.felix.fileinstall-load";
    private static final long LIMIT_SECONDS = 30;

    private final Reaper pins = new Reaper("rm -rf " + PIN_ROOT);
    private final Path directory;
    private final Path etc;
    private boolean migrate;
    private Framework framework;

    /** Prepares it; the directory takes its configuration and cache. */
    Distribution(Path directory) throws IOException {
        this.directory = directory;
        etc = Files.createDirectories(directory.resolve("etc"));
        try (Stream<Path> files = Files.list(HOME.resolve("etc"))) {
            for (Path file : files.toList()) {
                Files.copy(file, etc.resolve(file.getFileName()));
            }
        }
        configure("io.flowbypass.xdp", "pin.root", PIN_ROOT.toString());
        configure("io.flowbypass.xdp", "capacity", "4096");
        configure("io.flowbypass.control", "socket.path", controlSocket().toString());
        configure("io.flowbypass.records", "file", records().toString());
        configure(LOAD, "felix.fileinstall.dir", Files.createDirectory(load()).toString());
        configure(LOAD, "felix.fileinstall.poll", "200");
    }

    /** The watched folder. */
    Path load() {
        return directory.resolve("load");
    }

    /** Puts a jar into the watched folder, whole. */
    void drop(String name, byte[] jar) throws IOException {
        put(load().resolve(name), jar);
    }

    /** In one step: a file that is written in place may be read while it is not whole. */
    private void put(Path file, byte[] content) throws IOException {
        Path whole = Files.write(directory.resolve("whole"), content);
        Files.move(whole, file, StandardCopyOption.ATOMIC_MOVE);
    }

    /** Where monitors ask. */
    Path controlSocket() {
        return directory.resolve("ctl.sock");
    }

    /** The client for it. */
    static Path controlClient() {
        return HOME.resolve("bin/flowbypass-ctl");
    }

    /** The file of flow records. */
    Path records() {
        return directory.resolve("flows.json");
    }

    /** Where its shell is. */
    Path shellSocket() {
        return directory.resolve("shell.sock");
    }

    /** Lets its next starts migrate a table of another layout or capacity, or not. */
    Distribution migrate(boolean wanted) {
        migrate = wanted;
        return this;
    }

    /** Starts it, and returns before it works. */
    void launch() throws Exception {
        framework = new FrameworkFactory().newFramework(settings());
        framework.init();
        AutoProcessor.process(settings(), framework.getBundleContext());
        framework.start();
    }

    /** Starts it, and returns when it works. */
    Distribution start() throws Exception {
        launch();
        Jmx.awaitAll();
        return this;
    }

    /** The sentence that says why it does not work. */
    String failure() {
        Path file = directory.resolve("failure");
        Jmx.eventually(() -> Files.exists(file) && Files.size(file) > 0, "the launcher is told what is wrong");
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private Map<String, String> settings() throws IOException {
        Properties file = new Properties();
        try (Reader reader = Files.newBufferedReader(HOME.resolve("conf/config.properties"))) {
            file.load(reader);
        }
        Map<String, String> settings = new HashMap<>();
        file.forEach((key, value) -> settings.put(key.toString(),
                value.toString().replace("file:bundle/", "file:" + HOME + "/bundle/")));
        settings.put("felix.fileinstall.dir", etc.toString());
        settings.put("flowbypass.failure.file", directory.resolve("failure").toString());
        settings.put("flowbypass.shell.socket", shellSocket().toString());
        settings.put("flowbypass.migrate", String.valueOf(migrate));
        settings.put("org.osgi.framework.storage", directory.resolve("cache").toString());
        return settings;
    }

    /** Sets a line of a configuration file. */
    void configure(String pid, String key, String value) throws IOException {
        configure(pid, configuration(pid).replaceFirst("(?m)^" + key.replace(".", "\\.") + "\\s*=.*$", key + " = " + value));
    }

    /** Writes a configuration file. */
    void configure(String pid, String text) throws IOException {
        put(file(pid), text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** Deletes a configuration file. */
    void deleteConfiguration(String pid) throws IOException {
        Files.delete(file(pid));
    }

    private Path file(String pid) {
        return etc.resolve(pid + ".cfg");
    }

    /** Its configuration files. */
    Path etc() {
        return etc;
    }

    /** A configuration file's text. */
    String configuration(String pid) throws IOException {
        return Files.readString(file(pid));
    }

    Bundle bundle(String symbolicName) {
        return Arrays.stream(framework.getBundleContext().getBundles())
                .filter(bundle -> symbolicName.equals(bundle.getSymbolicName())).findFirst()
                .orElseThrow(() -> new IllegalStateException("no bundle " + symbolicName));
    }

    void stop(String symbolicName) throws BundleException {
        bundle(symbolicName).stop();
    }

    void start(String symbolicName) throws BundleException {
        bundle(symbolicName).start();
    }

    /** Replaces a bundle's content and everything that is wired to it. */
    void update(String symbolicName, InputStream jar) throws Exception {
        bundle(symbolicName).update(jar);
        refresh(symbolicName);
    }

    /** Rewires bundles and everything that is wired to them. */
    void refresh(String... symbolicNames) throws InterruptedException {
        CountDownLatch done = new CountDownLatch(1);
        framework.adapt(FrameworkWiring.class).refreshBundles(
                Stream.of(symbolicNames).map(this::bundle).toList(), event -> {
                    if (event.getType() == FrameworkEvent.PACKAGES_REFRESHED) {
                        done.countDown();
                    }
                });
        if (!done.await(LIMIT_SECONDS, TimeUnit.SECONDS)) {
            throw new IllegalStateException("refresh of " + List.of(symbolicNames) + " does not end");
        }
    }

    /** Installs and starts a bundle made of some of this test's classes. */
    Bundle install(String symbolicName, String imports, Class<?> activator) throws Exception {
        return install(symbolicName, new ByteArrayInputStream(bundle(symbolicName, imports, activator)));
    }

    /** A jar with a bundle of one class, its activator. */
    static byte[] bundle(String symbolicName, String imports, Class<?> activator) throws IOException {
        Manifest manifest = new Manifest(new ByteArrayInputStream(("Manifest-Version: 1.0\nBundle-ManifestVersion: 2\n"
                + "Bundle-SymbolicName: " + symbolicName + "\nBundle-Version: 1.0.0\nBundle-Activator: "
                + activator.getName() + "\nImport-Package: " + imports + "\n").getBytes()));
        ByteArrayOutputStream jar = new ByteArrayOutputStream();
        try (JarOutputStream entries = new JarOutputStream(jar, manifest)) {
            String path = activator.getName().replace('.', '/') + ".class";
            entries.putNextEntry(new ZipEntry(path));
            try (InputStream code = activator.getClassLoader().getResourceAsStream(path)) {
                code.transferTo(entries);
            }
            entries.closeEntry();
        }
        return jar.toByteArray();
    }

    /** Installs and starts a bundle. */
    Bundle install(String symbolicName, InputStream jar) throws BundleException {
        Bundle bundle = framework.getBundleContext().installBundle("test:" + symbolicName, jar);
        bundle.start();
        return bundle;
    }

    /** A jar of the distribution. */
    static Path jar(String symbolicName) {
        return HOME.resolve("bundle/" + symbolicName + ".jar");
    }

    /** Stops it; its pins stay. */
    void stop() throws Exception {
        framework.stop();
        if (framework.waitForStop(TimeUnit.SECONDS.toMillis(LIMIT_SECONDS)).getType() == FrameworkEvent.WAIT_TIMEDOUT) {
            throw new IllegalStateException("the framework does not stop");
        }
    }

    /** Stops it and removes its pins. */
    void close() throws Exception {
        try {
            stop();
        } finally {
            pins.close();
        }
    }
}
