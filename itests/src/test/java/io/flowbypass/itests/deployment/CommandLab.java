// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import io.flowbypass.itests.lab.Root;
import io.flowbypass.itests.lab.Shell;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/**
 * The script in a copy of what was built and in a mount namespace of its own: its pins and run directories are private, and
 * a Flowbypass that works on this machine stays untouched.
 */
abstract class CommandLab extends NamespaceLab {
    @BeforeEach
    void copyWhatWasBuilt() throws Exception {
        Root.required();
        Shell.run("(cd " + directory + " && mkdir -p felix-config/target felix-config/src/main bpf bundles && touch pom.xml)"
                + " && cp ../flowbypass " + directory
                + " && cp -r ../felix-config/src/main/bin " + directory + "/felix-config/src/main"
                + " && cp -r ../felix-config/target/flowbypass " + directory + "/felix-config/target"
                + " && touch " + directory + "/felix-config/target/flowbypass/built");
        enter("mount -t tmpfs tmpfs /run && mount -t bpf bpf /sys/fs/bpf");
    }

    @AfterEach
    void takeDown() throws Exception {
        if (isEntered()) {
            // A JVM that ends in order takes its time, which has tests of its own.
            inside("for jvm in /run/flowbypass/*/jvm; do if read pid start <$jvm; then kill -9 $pid; fi; done 2>/dev/null || true");
            flowbypass("off");
            leave();
        }
    }

    /** Runs the script. */
    Outcome flowbypass(String... arguments) throws Exception {
        return run("", arguments);
    }

    /** Runs the script, after something else in the same shell. */
    Outcome run(String before, String... arguments) throws Exception {
        return end(start("sh", "-c", before + " exec ./flowbypass " + String.join(" ", arguments)));
    }

    /** Namespaces, pins, run directories and processes of what was started. */
    String leftBehind() {
        return inside("ls -d /run/netns/flowbypass-* /sys/fs/bpf/flowbypass* /run/flowbypass* 2>/dev/null || true")
                + ProcessHandle.allProcesses().filter(this::isOfHere)
                        .map(process -> process.info().commandLine().orElse("")).toList();
    }

    /** Felix runs in the distribution, programs in C are called by their paths. */
    private boolean isOfHere(ProcessHandle process) {
        try {
            return process.info().commandLine().orElse("").contains(directory + "/itests")
                    || Files.readSymbolicLink(Path.of("/proc", Long.toString(process.pid()), "cwd"))
                            .startsWith(directory.resolve("felix-config"));
        } catch (IOException gone) {
            return false;
        }
    }
}
