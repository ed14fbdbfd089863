// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Compares what every bundle imports and exports with the table of rooms in ARCHITECTURE.md. */
class RoomsTest {
    private static final Set<String> API = Set.of("io.flowbypass.flow", "io.flowbypass.policy");
    private static final Set<String> NONE = Set.of();

    /** Room to the packages of ours that it may import. */
    private static final Map<String, Set<String>> MAY_IMPORT = Map.ofEntries(
            Map.entry("io.flowbypass.api", API),
            Map.entry("io.flowbypass.libbpf", Set.of("io.flowbypass.libbpf")),
            Map.entry("io.flowbypass.maps", Set.of("io.flowbypass.libbpf", "io.flowbypass.maps")),
            Map.entry("io.flowbypass.bpf", NONE),
            Map.entry("io.flowbypass.xdp", Set.of("io.flowbypass.libbpf", "io.flowbypass.maps", "io.flowbypass.xdp")),
            Map.entry("io.flowbypass.table", plus(API, "io.flowbypass.maps", "io.flowbypass.xdp")),
            Map.entry("io.flowbypass.classic", plus(API, "io.flowbypass.classic", "io.flowbypass.maps", "io.flowbypass.xdp")),
            Map.entry("io.flowbypass.expiry", plus(API, "io.flowbypass.expiry")),
            Map.entry("io.flowbypass.policy.idle", API),
            Map.entry("io.flowbypass.policy.tcp", API),
            Map.entry("io.flowbypass.policy.adaptive", API),
            Map.entry("io.flowbypass.policy.lifetime", API),
            Map.entry("io.flowbypass.management", plus(API, "io.flowbypass.classic", "io.flowbypass.expiry", "io.flowbypass.xdp",
                    "io.flowbypass.maps", "io.flowbypass.management")),
            Map.entry("io.flowbypass.health", plus(API, "io.flowbypass.expiry", "io.flowbypass.xdp")),
            Map.entry("io.flowbypass.control", plus(API, "io.flowbypass.xdp")),
            Map.entry("io.flowbypass.records", plus(API, "io.flowbypass.xdp")),
            Map.entry("io.flowbypass.shell", plus(API, "io.flowbypass.expiry", "io.flowbypass.xdp")),
            Map.entry("io.flowbypass.demo", plus(API, "io.flowbypass.xdp")));

    private static final Set<String> MAY_EXPORT = Set.of("io.flowbypass.flow", "io.flowbypass.policy",
            "io.flowbypass.libbpf", "io.flowbypass.maps", "io.flowbypass.xdp", "io.flowbypass.classic", "io.flowbypass.expiry",
            "io.flowbypass.management");

    @Test
    void everyBundleImportsOnlyWhatItsRoomMay() throws IOException {
        for (String room : rooms()) {
            assertThat(MAY_IMPORT).as("rooms that the table knows").containsKey(room);
            assertThat(MAY_IMPORT.get(room)).as("what " + room + " may import")
                    .containsAll(packages(room, "Import-Package", "io.flowbypass"));
        }
        assertThat(rooms()).hasSize(MAY_IMPORT.size());
    }

    @Test
    void onlyTheFenceImportsJna() throws IOException {
        for (String room : rooms()) {
            Set<String> jna = packages(room, "Import-Package", "com.sun.jna");
            if (room.equals("io.flowbypass.libbpf")) {
                assertThat(jna).as(room).isNotEmpty();
            } else {
                assertThat(jna).as(room).isEmpty();
            }
        }
    }

    @Test
    void internalPackagesAreNotExportedAndExportedOnesHaveAVersion() throws IOException {
        for (String room : rooms()) {
            assertThat(MAY_EXPORT).as("what is exported").containsAll(packages(room, "Export-Package", "io.flowbypass"));
            String exports = header(room, "Export-Package");
            for (String exported : packages(room, "Export-Package", "io.flowbypass")) {
                assertThat(exports).containsPattern(Pattern.quote(exported) + "[^,]*;version=\"\\d");
            }
        }
    }

    private static Set<String> rooms() throws IOException {
        try (Stream<Path> jars = Files.list(Distribution.jar("any").getParent())) {
            return jars.map(jar -> jar.getFileName().toString().replace(".jar", ""))
                    .filter(name -> name.startsWith("io.flowbypass.")).collect(Collectors.toCollection(TreeSet::new));
        }
    }

    private static Set<String> packages(String room, String header, String prefix) throws IOException {
        // Attributes and directives go first, since a uses directive and a version range hold commas.
        String names = header(room, header).replaceAll(";[^,\"]*(\"[^\"]*\"[^,\"]*)*", "");
        return Stream.of(names.split(",")).map(String::strip).filter(name -> name.startsWith(prefix))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static String header(String room, String name) throws IOException {
        try (JarFile jar = new JarFile(Distribution.jar(room).toFile())) {
            String value = jar.getManifest().getMainAttributes().getValue(name);
            return value == null ? "" : value;
        }
    }

    private static Set<String> plus(Set<String> some, String... more) {
        return Stream.concat(some.stream(), Stream.of(more)).collect(Collectors.toUnmodifiableSet());
    }
}
