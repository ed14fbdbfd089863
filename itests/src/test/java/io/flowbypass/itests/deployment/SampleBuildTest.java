// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.RunningFlow;
import io.flowbypass.itests.lab.Shell;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The sample policy is built and put in by nothing but what README says. */
class SampleBuildTest extends FlowLab {
    @TempDir
    static Path checkout;
    private static byte[] jar;

    /** In a copy: a build of the whole may be running where this test lies. */
    @BeforeAll
    static void build() throws Exception {
        String command = GuideBundle.block(SamplePolicy.page(), "this makes the jar, in its `target/`:\n\n```\n").strip();
        assertThat(command).startsWith("mvn package ");
        Shell.run("tar -c --exclude=.git --exclude=target -C .. . | tar -x -C " + checkout);
        Shell.run("cd " + checkout + " && " + command + " -o -B -q -Dstyle.color=never");
        try (Stream<Path> made = Files.list(checkout.resolve("itests/sample-policy/target"))) {
            List<Path> jars = made.filter(file -> file.toString().endsWith(".jar")).toList();
            assertThat(jars).hasSize(1);
            jar = Files.readAllBytes(jars.get(0));
        }
    }

    @Test
    void itIsPutInAndEndsFlows() throws Exception {
        String load = "felix-config/target/flowbypass/load/";
        assertThat(SamplePolicy.page()).contains(load);
        assertThat(Path.of("..", load)).isDirectory();
        felix.drop("com.example.small-0.1.0-SNAPSHOT.jar", jar);
        Jmx.eventually(() -> active().contains("small") && Jmx.isThere("Policy,name=small"),
                "it is asked, and can be tuned");
        bypass(5001);
        Jmx.setAttribute("Policy,name=small", "AgeSeconds", 1);
        Jmx.eventually(() -> !isBypassed(5001), "it ends what cuts too little");
        assertThat(isBypassed(RunningFlow.PORT)).as("what cuts enough stays").isTrue();
        running.wasCutAndCounted();
    }
}
