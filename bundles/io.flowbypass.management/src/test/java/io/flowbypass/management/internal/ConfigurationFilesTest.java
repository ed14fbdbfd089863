// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.felix.fileinstall.FakeFileInstall;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.cm.ConfigurationEvent;

class ConfigurationFilesTest {
    private static final String PID = "com.example.policy";

    @TempDir
    private Path etc;
    private final Map<String, Hashtable<String, Object>> stored = new LinkedHashMap<>();
    private Runnable afterUpdate = () -> { };
    private Path file;
    private ConfigurationFiles files;

    private final ConfigurationAdmin admin = Fakes.of(ConfigurationAdmin.class, (method, arguments) -> switch (method) {
        case "listConfigurations" -> stored.keySet().stream()
                .filter(pid -> arguments[0] == null || arguments[0].equals("(service.pid=" + pid + ")"))
                .map(this::configuration).toArray(Configuration[]::new);
        case "getConfiguration" -> configuration(arguments[0].toString());
        default -> throw new UnsupportedOperationException(method);
    });

    private Configuration configuration(String pid) {
        return Fakes.of(Configuration.class, (method, arguments) -> switch (method) {
            case "getPid" -> pid;
            case "getProperties" -> stored.containsKey(pid) ? new Hashtable<>(stored.get(pid)) : null;
            case "updateIfDifferent" -> {
                Hashtable<String, Object> properties = new Hashtable<>();
                Dictionary<?, ?> given = (Dictionary<?, ?>) arguments[0];
                given.keys().asIterator().forEachRemaining(key -> properties.put(key.toString(), given.get(key)));
                properties.put("service.pid", pid);
                stored.put(pid, properties);
                afterUpdate.run();
                tell(pid, ConfigurationEvent.CM_UPDATED);
                yield true;
            }
            default -> throw new UnsupportedOperationException(method);
        });
    }

    private void tell(String pid, int type) {
        files.configurationEvent(new ConfigurationEvent(reference(), type, null, pid));
    }

    @SuppressWarnings("unchecked")
    private static ServiceReference<ConfigurationAdmin> reference() {
        return Fakes.of(ServiceReference.class, (method, arguments) -> null);
    }

    @BeforeEach
    void start() throws IOException {
        file = etc.resolve(PID + ".cfg");
        Files.writeString(file, "# Seconds.\nudp.seconds = 60\n\n# Path.\npath = /x\n");
        stored.put(PID, new Hashtable<>(Map.of("service.pid", PID, "udp.seconds", "60", "path", "/x",
                ConfigurationFiles.FILE, file.toUri().toString())));
        files = files("false");
    }

    private ConfigurationFiles files(String fileInstallSaves) throws IOException {
        return new ConfigurationFiles(Fakes.of(BundleContext.class, (method, arguments) ->
                arguments[0].equals("felix.fileinstall.enableConfigSave") ? fileInstallSaves : null), admin);
    }

    private void set(String key, Object value) throws IOException {
        Configuration configuration = admin.getConfiguration(PID, "?");
        Dictionary<String, Object> properties = configuration.getProperties();
        if (value == null) {
            properties.remove(key);
        } else {
            properties.put(key, value);
        }
        configuration.updateIfDifferent(properties);
    }

    private String text() throws IOException {
        return Files.readString(file);
    }

    @Test
    void writesWhatChangedAndNothingElse() throws IOException {
        set("udp.seconds", 1);

        assertThat(text()).isEqualTo("# Seconds.\nudp.seconds = 1\n\n# Path.\npath = /x\n");
        set("path", null);
        set("service.ranking", "7");
        assertThat(text()).isEqualTo("# Seconds.\nudp.seconds = 1\n\n# Path.\nservice.ranking = 7\n");
        assertThat(etc).isDirectoryContaining(file::equals).isDirectoryNotContaining(path -> !path.equals(file));
    }

    @Test
    void leavesAFileThatIsThereToAFileInstallThatSaves() throws IOException {
        String before = text();
        files = files("true");
        set("udp.seconds", "1");
        assertThat(text()).isEqualTo(before);
    }

    @Test
    void replacesTheFileInOneStepWithItsPermissions() throws IOException {
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        Path old = etc.resolve("old");
        Files.createLink(old, file);
        set("udp.seconds", "1");

        assertThat(Files.readString(old)).as("what an open reader still reads").contains("udp.seconds = 60\n");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file))).isEqualTo("rw-r-----");
    }

    @Test
    void keepsALinkToTheFile() throws IOException {
        Path target = Files.move(file, Files.createDirectory(etc.resolve("real")).resolve("target"));
        Files.createSymbolicLink(file, target);
        set("udp.seconds", "1");

        assertThat(file).isSymbolicLink();
        assertThat(target).content().contains("udp.seconds = 1\n");
    }

    @Test
    void doesNotTouchTheFileThatAChangeWasReadFrom() throws IOException {
        Files.writeString(file, "udp.seconds:7\npath = ${env:HOME}\n");
        Object before = Files.readAttributes(file, "unix:ino,ctime");
        FakeFileInstall.run(() -> set("udp.seconds", "7"));
        FakeFileInstall.run(() -> set("path", "/root"));
        set("udp.seconds", "7");

        assertThat(Files.readAttributes(file, "unix:ino,ctime")).isEqualTo(before);
    }

    @Test
    void keepsTheNewerValueInTheFileWhereFileInstallHasReadTheOlderOne() throws IOException {
        set("udp.seconds", "1");
        FakeFileInstall.run(() -> set("udp.seconds", "60"));
        assertThat(text()).contains("udp.seconds = 1\n");
        FakeFileInstall.run(() -> set("udp.seconds", "1"));
        set("udp.seconds", "60");
        assertThat(text()).contains("udp.seconds = 60\n");
    }

    @Test
    void leavesPlaceholdersAndWritesTheOtherValues() throws IOException {
        Files.writeString(file, "udp.seconds = ${env:UDP}\npath = /x\n");
        files = files("false");
        Hashtable<String, Object> properties = new Hashtable<>(stored.get(PID));
        properties.put("udp.seconds", "1");
        properties.put("path", "/y");
        admin.getConfiguration(PID, "?").updateIfDifferent(properties);

        assertThat(text()).isEqualTo("udp.seconds = ${env:UDP}\npath = /y\n");
    }

    @Test
    void deletesTheFileOfADeletedConfiguration() {
        stored.remove(PID);
        tell(PID, ConfigurationEvent.CM_DELETED);

        assertThat(file).doesNotExist();
    }

    @Test
    void keepsAFileThatWasSavedAnewWhileFileInstallMissedIt() throws IOException {
        stored.remove(PID);
        FakeFileInstall.run(() -> tell(PID, ConfigurationEvent.CM_DELETED));

        assertThat(file).exists();
    }

    @Test
    void doesNotBringBackAFileThatWasRemoved() throws IOException {
        Files.delete(file);
        set("udp.seconds", "1");

        assertThat(file).doesNotExist();
    }

    @Test
    void goesOnAfterAFileThatCannotBeWritten() throws IOException {
        Path obstacle = Files.createDirectories(etc.resolve(PID + ".cfg.new/full"));
        set("udp.seconds", "1");
        assertThat(text()).contains("udp.seconds = 60");
        Files.delete(obstacle);
        Files.delete(obstacle.getParent());
        set("udp.seconds", "2");
        assertThat(text()).contains("udp.seconds = 2");
    }

    @Test
    void leavesFilesOfOtherFormatsAndConfigurationsWithoutOneAlone() throws IOException {
        Path other = Files.writeString(etc.resolve("x.config"), "a=\"1\"\n");
        set(ConfigurationFiles.FILE, other.toUri().toString());
        set("udp.seconds", "1");
        set(ConfigurationFiles.FILE, "file:///%00.cfg");
        set(ConfigurationFiles.FILE, null);
        set("udp.seconds", "2");

        assertThat(other).hasContent("a=\"1\"");
        assertThat(text()).contains("udp.seconds = 60");
    }

    @Test
    void writesTheFileOfAConfigurationThatHadNone() throws IOException {
        new StoredConfiguration("the.factory~one", etc).set(admin, "path", "C:\\x");
        new StoredConfiguration("the.factory~one", etc).set(admin, "seconds", "3");

        assertThat(etc.resolve("the.factory-one.cfg")).hasContent("path = C:\\\\x\nseconds = 3");
        assertThat(stored.get("the.factory~one")).containsEntry(ConfigurationFiles.FILE,
                etc.resolve("the.factory-one.cfg").toFile().toURI().toString());
    }

    @Test
    void setsAgainWhatFileInstallHasSetBackMeanwhile() throws IOException {
        afterUpdate = () -> {
            stored.get(PID).put("udp.seconds", "60");
            afterUpdate = () -> { };
        };
        new StoredConfiguration(PID, etc).set(admin, "udp.seconds", "1");

        assertThat(stored.get(PID)).containsEntry("udp.seconds", "1");
        assertThat(text()).contains("udp.seconds = 1\n");
    }

    @Test
    void writesNoFileThatWouldLackAValue() throws IOException {
        stored.put("listed", new Hashtable<>(Map.of("names", new String[] {"a", "b"})));
        new StoredConfiguration("listed", etc).set(admin, "seconds", "3");

        assertThat(stored.get("listed")).containsEntry("seconds", "3").containsKey("names")
                .doesNotContainKey(ConfigurationFiles.FILE);
        try (Stream<Path> all = Files.list(etc)) {
            assertThat(all).containsOnly(file);
        }
    }
}
