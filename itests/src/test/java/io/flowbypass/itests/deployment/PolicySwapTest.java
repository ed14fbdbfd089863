// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.LogLines;
import io.flowbypass.itests.lab.Notifications;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.LongStream;
import javax.management.ObjectName;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.wiring.BundleWiring;

/**
 * Policies are put in, replaced, selected and taken out while traffic flows. In each test a bypassed flow runs in both directions:
 * not one of its packets reaches the monitor, and in the end each one is counted.
 */
class PolicySwapTest extends FlowLab {
    private static final int REPLACEMENTS = 1000;

    private Notifications notifications;

    @BeforeEach
    void sweepOften() {
        Jmx.setAttribute("Expiry", "SweepIntervalMillis", 50);
        notifications = new Notifications("Expiry");
    }

    /** The sample, built with another text in the place of one. */
    private byte[] sample(String text, String other) throws Exception {
        return SamplePolicy.build(directory, SamplePolicy.source().replace(text, other));
    }

    private byte[] sample() throws Exception {
        return sample("", "");
    }

    private void drop(byte[] jar) throws IOException {
        felix.drop("small.jar", jar);
    }

    private static String description(String policy) throws Exception {
        return ManagementFactory.getPlatformMBeanServer()
                .getMBeanInfo(new ObjectName("io.flowbypass:type=Policy,name=" + policy)).getDescription();
    }

    private void eventuallySwapped(String... parts) {
        Jmx.eventually(() -> notifications.of("policy.swapped").stream()
                .anyMatch(each -> Arrays.stream(parts).allMatch(each::contains)), "the notification says " + List.of(parts));
    }

    @Test
    void aJarThatIsPutIntoTheWatchedFolderJoinsIsUpdatedThereAndLeaves() throws Exception {
        List<String> before = active();
        drop(sample());
        Jmx.eventually(() -> active().contains("small") && Jmx.isThere("Policy,name=small"), "it is asked, and can be tuned");
        eventuallySwapped("small was added");
        assertThat(Jmx.attribute("Policy,name=small", "AgeSeconds")).isEqualTo(60);
        assertThatThrownBy(() -> Jmx.setAttribute("Policy,name=small", "AgeSeconds", 0)).hasStackTraceContaining("1 to 86400");

        bypass(5001);
        Jmx.setAttribute("Policy,name=small", "AgeSeconds", 1);
        assertThat(felix.configuration("com.example.small")).contains("age.seconds = 1");
        Jmx.eventually(() -> !isBypassed(5001), "it ends what cuts too little");
        assertThat(isBypassed(5000)).as("what cuts enough stays").isTrue();

        drop(sample("Ends flows that cut too little.", "Ends flows that cut next to nothing."));
        Jmx.eventually(() -> Jmx.isThere("Policy,name=small") && description("small").contains("next to nothing"),
                "the update is in place");
        assertThat(Jmx.attribute("Policy,name=small", "AgeSeconds")).as("with what was set before").isEqualTo(1);

        Files.delete(felix.load().resolve("small.jar"));
        Jmx.eventually(() -> active().equals(before) && !Jmx.isThere("Policy,name=small"), "the others go on without it");
        eventuallySwapped("small was removed");
        running.wasCutAndCounted();
    }

    @Test
    void anActivePolicyIsReplacedAThousandTimesAndNoClassLoaderOfItStays() throws Exception {
        List<Object> programs = programIds();
        Jmx.setAttribute("Expiry", "SweepIntervalMillis", 10);
        byte[][] jars = {sample(), sample("Ends flows that cut too little.", "Ends flows that cut next to nothing.")};
        Bundle small = felix.install("small", new ByteArrayInputStream(jars[0]));
        Jmx.eventually(() -> active().contains("small"), "it is active");
        Logger sweeps = Logger.getLogger("io.flowbypass.expiry.internal.Sweeps");
        List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
        try (LogLines log = new LogLines(sweeps.getName())) {
            sweeps.setLevel(Level.FINE);
            for (int i = 1; i <= REPLACEMENTS; i++) {
                loaders.add(new WeakReference<>(small.adapt(BundleWiring.class).getClassLoader()));
                small.update(new ByteArrayInputStream(jars[i % 2]));
            }
            Jmx.eventually(() -> active().contains("small"), "the last one is active");
            List<Long> numbers = log.lines().stream().filter(line -> line.startsWith("sweep "))
                    .map(line -> Long.parseLong(line.replaceFirst("sweep (\\d+) of .*", "$1"))).toList();
            assertThat(numbers).hasSizeGreaterThan(100).containsExactlyElementsOf(
                    LongStream.range(numbers.get(0), numbers.get(0) + numbers.size()).boxed().toList());
        } finally {
            sweeps.setLevel(null);
        }
        Jmx.eventually(() -> {
            System.gc();
            return loaders.stream().map(Reference::get).filter(loader -> loader != null).count() <= 1;
        }, "at most one of the old class loaders is left");
        assertThat(programIds()).as("nothing was attached anew").isEqualTo(programs);
        running.wasCutAndCounted();
    }

    @Test
    void whatIsSelectedByNameIsKeptThroughARestart() throws Exception {
        assertThat(active()).as("as shipped, by ranking").containsExactly("tcp", "lifetime", "adaptive", "idle");
        Jmx.invoke("Expiry", "selectPolicies", "idle, tcp");
        assertThat(active()).containsExactly("idle", "tcp");
        assertThat(felix.configuration("io.flowbypass.expiry")).contains("active.policies = idle,tcp");
        assertThatThrownBy(() -> Jmx.invoke("Expiry", "selectPolicies", "idle, nosuch")).hasMessageContaining("nosuch");
        assertThat(active()).containsExactly("idle", "tcp");
        felix.stop();
        running.awaitMoreTraffic();
        felix.start();
        assertThat(active()).containsExactly("idle", "tcp");
        running.wasCutAndCounted();
    }

    @Test
    void aDryRunSaysWhatAnotherListWouldEndAndEndsNothing() throws Exception {
        drop(sample("default 60", "default 1"));
        Jmx.eventually(() -> active().contains("small"), "it is there");
        Jmx.invoke("Expiry", "selectPolicies", "idle");
        bypass(5001);
        Jmx.eventually(() -> compared().contains(":5001"), "it would be ended");
        assertThat(compared()).contains("too few packets").doesNotContain(":5000");
        assertThat(isBypassed(5001)).as("nothing was ended").isTrue();
        running.wasCutAndCounted();
    }

    private static String compared() {
        return Arrays.toString((String[]) Jmx.invoke("Expiry", "compare", "small", 10));
    }

    @Test
    void aPolicyThatWasBuiltAgainstAnotherApiStaysOutAndIsToldWhy() throws Exception {
        List<String> before = active();
        assertThatThrownBy(() -> felix.install("future", "io.flowbypass.policy;version=\"[2,3)\"", SparePolicy.class))
                .hasMessageContaining("io.flowbypass.policy").hasMessageContaining("2.0.0");
        assertThat(active()).isEqualTo(before);
        running.wasCutAndCounted();
    }

    @Test
    void aBusyFlowEndsAtTheMaximumVolumeWhereThereIsOne() throws Exception {
        RecordKeeper.forget();
        felix.install("keeper", "io.flowbypass.flow,org.osgi.framework", RecordKeeper.class);
        Jmx.setAttribute("Policy,name=lifetime", "MaxBytes", 1_000_000L);
        Jmx.eventually(() -> RecordKeeper.kept().stream().anyMatch(record -> record.contains("reason=LIFETIME")
                && record.contains("detail=lifetime: volume")), "it ends, busy as it is");
        Jmx.setAttribute("Policy,name=lifetime", "MaxBytes", 0L);
        Jmx.eventually(() -> running.seen() > 0, "the monitor gets another look");
    }

    @Test
    void timeoutsGetShorterAsTheTableFillsAndAreShown() throws Exception {
        int capacity = (Integer) Jmx.attribute("FlowTable", "Capacity");
        assertThat(Jmx.attribute("Policy,name=adaptive", "NowUdpSeconds")).isEqualTo(60.0);
        Jmx.setAttribute("Policy,name=adaptive", "StartPercent", 1);
        Jmx.setAttribute("Policy,name=adaptive", "EndPercent", 3);
        Jmx.setAttribute("Policy,name=adaptive", "UdpSeconds", 10);
        for (int port = 10_000; port < 10_000 + capacity / 50; port++) {
            bypass(port);
        }
        Jmx.eventually(() -> (Double) Jmx.attribute("Policy,name=adaptive", "NowUdpSeconds") < 6, "timeouts are shorter");
        assertThat((Double) Jmx.attribute("Policy,name=adaptive", "NowPercent")).isBetween(40.0, 60.0);
        Jmx.eventually(() -> !isBypassed(10_000), "flows end before their timeout");
        running.wasCutAndCounted();
    }
}
