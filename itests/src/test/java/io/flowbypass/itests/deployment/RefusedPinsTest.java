// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Root;
import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.libbpf.NativeBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pins that are not ours to adopt: each is refused in a sentence, and nothing is changed. */
class RefusedPinsTest {
    /** Offset of {@code abi_hash} in {@code struct fb_config}. */
    private static final int ABI_HASH = 112;
    /** {@code sizeof(struct fb_config)}. */
    private static final int CONFIG_BYTES = 256;
    private static final Path CONFIG = Distribution.PIN_ROOT.resolve("config");
    private static final NativeBuffer FIRST_KEY = NativeBuffer.allocate(4);

    @TempDir
    Path directory;
    private Distribution felix;

    @BeforeEach
    void prepare() throws Exception {
        Root.required();
        felix = new Distribution(directory);
    }

    @AfterEach
    void takeDown() throws Exception {
        if (felix != null) {
            felix.close();
        }
    }

    @Test
    void aTableOfAnotherAbi() throws Exception {
        felix.start();
        felix.stop();
        NativeBuffer config = readConfig();
        config.bytes().put(ABI_HASH, (byte) (config.bytes().get(ABI_HASH) ^ 1));
        try (Descriptor map = Bpf.open(CONFIG)) {
            map.run(number -> Bpf.update(number, FIRST_KEY, 0, config, 0, Bpf.ANY));
        }
        felix.launch();
        assertThat(felix.failure()).contains(Distribution.PIN_ROOT.toString()).contains("./flowbypass off")
                .contains("./flowbypass run --migrate").containsPattern("[0-9a-f]{16}").hasLineCount(1);
        assertThat(Jmx.isThere("FlowTable")).isFalse();
        assertThat(readConfig().bytes()).as("nothing was written").isEqualTo(config.bytes());
    }

    private static NativeBuffer readConfig() {
        NativeBuffer config = NativeBuffer.allocate(CONFIG_BYTES);
        try (Descriptor map = Bpf.open(CONFIG)) {
            map.run(number -> Bpf.lookup(number, FIRST_KEY, 0, config, 0, 0));
        }
        return config;
    }

    @Test
    void aTableOfAnotherCapacity() throws Exception {
        felix.start();
        felix.stop();
        felix.configure("io.flowbypass.xdp", "capacity", "8192");
        felix.launch();
        assertThat(felix.failure()).contains("4096").contains("8192").contains("./flowbypass off").hasLineCount(1);
        assertThat(Jmx.isThere("FlowTable")).isFalse();
    }

    @Test
    void aPinRootThatIsOnNoBpfFileSystem() throws Exception {
        Path elsewhere = directory.resolve("pins");
        felix.configure("io.flowbypass.xdp", "pin.root", elsewhere.toString());
        felix.launch();
        assertThat(felix.failure()).contains(elsewhere.toString()).contains("mount -t bpf").hasLineCount(1);
        assertThat(Files.exists(elsewhere)).isFalse();
    }

    @Test
    void pinsThatAnotherInstanceHolds() throws Exception {
        felix.start();
        Distribution second = new Distribution(Files.createDirectory(directory.resolve("second")));
        second.launch();
        try {
            assertThat(second.failure()).contains(Distribution.PIN_ROOT.toString()).hasLineCount(1);
            assertThat(Jmx.isThere("FlowTable")).as("the first goes on").isTrue();
        } finally {
            second.stop();
        }
    }
}
