// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.LogLines;
import io.flowbypass.itests.lab.Reaper;
import io.flowbypass.itests.lab.Root;
import io.flowbypass.itests.lab.Shell;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page "Using the maps service from your own bundle" of ARCHITECTURE.md does what it says. */
class MapsGuideTest {
    private static final Path PAGE = Path.of("../ARCHITECTURE.md");
    /** Not the page's, which somebody may have tried out. */
    private static final String PIN = "/sys/fs/bpf/flowbypass-itests-talkers";

    @TempDir
    Path directory;
    private Distribution felix;
    private Reaper pin;

    @BeforeEach
    void start() throws Exception {
        Root.required();
        pin = new Reaper("rm -f " + PIN);
        felix = new Distribution(directory).start();
    }

    @AfterEach
    void stop() throws Exception {
        if (felix != null) {
            felix.close();
        }
        if (pin != null) {
            pin.close();
        }
    }

    @Test
    void theBundleOfTheGuideReadsAndChangesAMapThatBpftoolMade() throws Exception {
        String page = Files.readString(PAGE).replace("/sys/fs/bpf/talkers", PIN);
        String guide = page.substring(page.indexOf("\n## Using the maps service"));
        Shell.run(GuideBundle.block(guide, "```\n"));
        Shell.run("bpftool map update pinned " + PIN + " key 192 0 2 2 value 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
                + "bpftool map update pinned " + PIN + " key 192 0 2 3 value 1 0 0 0 0 0 0 0 60 0 0 0 0 0 0 0");
        try (LogLines log = new LogLines("talkers")) {
            felix.install("com.example.talkers", GuideBundle.build(directory, "com.example.talkers.Talkers", GuideBundle.block(guide, "```java\n")));
            Jmx.eventually(() -> !log.lines().isEmpty(), "the bundle has done its work");
            assertThat(log.lines()).containsExactly("1,560 bytes (by batch), 1 silent");
        }
        assertThat(Shell.run("bpftool map dump pinned " + PIN).replaceAll("\\s+", " ")).contains("c0 00 02 01")
                .contains("c0 00 02 03").doesNotContain("c0 00 02 02");
    }

    @Test
    void consolesReadTheSameMapByItsPin() {
        Shell.run("bpftool map create " + PIN + " type percpu_hash key 2 value 8 entries 10 name talkers\n"
                + "bpftool map update pinned " + PIN + " key 1 2 value 7 0 0 0 0 0 0 0");
        assertThat((String) Jmx.invoke("Maps", "lookup", PIN, "01 02")).startsWith("0700000000000000")
                .hasLineCount(Runtime.getRuntime().availableProcessors());
        assertThat((String) Jmx.invoke("Maps", "dump", PIN, 0, 10)).startsWith("0102: 0700000000000000").hasLineCount(1);
        assertThat((Long) Jmx.attribute("Maps", "Calls")).isPositive();
        Shell.run("rm " + PIN + "\nbpftool map create " + PIN + " type array key 4 value 4194304 entries 1 name rodata");
        assertThat((String) Jmx.invoke("Maps", "dump", PIN, 0, 1)).hasSize("00000000: ".length() + 2 * 4194304);
    }
}
