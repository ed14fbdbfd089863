// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.LogLines;
import io.flowbypass.itests.lab.Notifications;
import io.flowbypass.itests.lab.RunningFlow;
import java.io.ByteArrayInputStream;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two policies of one bundle, which differ in their names, and two of different bundles, which do not. */
class PolicyNamesTest extends FlowLab {
    private static final String EARLY = "Policy,name=early";
    private static final String LATE = "Policy,name=late";
    private static final int LONG = 3600;

    @BeforeEach
    void sweepOftenAndKeepRecords() throws Exception {
        Jmx.setAttribute("Expiry", "SweepIntervalMillis", 50);
        RecordKeeper.forget();
        installKeeper();
    }

    private void installKeeper() throws Exception {
        felix.install("keeper", "io.flowbypass.flow,org.osgi.framework", RecordKeeper.class);
    }

    /** Bypasses a flow without packets, and waits for the record that says which policy ended it. */
    private static void isEnded(int port, String detail) {
        bypass(port);
        Jmx.eventually(() -> RecordKeeper.kept().stream().anyMatch(record -> record.contains(":" + port + " ")
                && record.contains("detail=" + detail + "]")), port + " is ended by " + detail);
        assertThat(isBypassed(RunningFlow.PORT)).as("what cuts enough stays").isTrue();
    }

    @Test
    void twoInstancesOfOnePolicyAreTunedEachByItself() throws Exception {
        felix.drop("small.jar", SamplePolicy.build(directory, SamplePolicy.source()));
        felix.configure("com.example.small-early", "flowbypass.policy.name = early\n# In seconds.\nage.seconds = 1\n");
        felix.configure("com.example.small-late", "flowbypass.policy.name = late\n# In seconds.\nage.seconds = " + LONG
                + "\n");
        Jmx.eventually(() -> active().containsAll(List.of("early", "late")) && !active().contains("small")
                && Jmx.isThere(EARLY) && Jmx.isThere(LATE), "both are there");
        assertThat(Jmx.attribute(EARLY, "AgeSeconds")).isEqualTo(1);
        assertThat(Jmx.attribute(LATE, "AgeSeconds")).isEqualTo(LONG);
        isEnded(5001, "early: too few packets");

        String early = felix.configuration("com.example.small-early");
        Jmx.setAttribute(LATE, "AgeSeconds", 2);
        assertThat(Jmx.attribute(EARLY, "AgeSeconds")).as("of the other").isEqualTo(1);
        assertThat(felix.configuration("com.example.small-early")).isEqualTo(early);
        assertThat(felix.configuration("com.example.small-late")).contains("# In seconds.\nage.seconds = 2\n");
        Jmx.setAttribute(EARLY, "AgeSeconds", LONG);
        isEnded(5002, "late: too few packets");
        felix.configure("com.example.small-early", "age.seconds", "soon");
        Jmx.eventually(() -> ((String) Jmx.attribute(EARLY, "ConfigurationProblem")).contains("1 to 86400"), "it is said");
        assertThat(Jmx.attribute(EARLY, "AgeSeconds")).isEqualTo(LONG);
        assertThat(Jmx.attribute(LATE, "ConfigurationProblem")).as("of the other").isEqualTo("");
        felix.configure("com.example.small-early", "age.seconds", "7000");
        Jmx.eventually(() -> Jmx.attribute(EARLY, "AgeSeconds").equals(7000), "a hand edit holds");

        felix.stop();
        running.awaitMoreTraffic();
        felix.start();
        Jmx.eventually(() -> Jmx.isThere(EARLY) && Jmx.isThere(LATE), "both are there again");
        assertThat(active()).contains("early", "late").doesNotContain("small");
        assertThat(Jmx.attribute(EARLY, "AgeSeconds")).isEqualTo(7000);
        assertThat(Jmx.attribute(LATE, "AgeSeconds")).isEqualTo(2);
        isEnded(5003, "late: too few packets");

        felix.deleteConfiguration("com.example.small-late");
        Jmx.eventually(() -> !active().contains("late") && !Jmx.isThere(LATE), "it goes with its file");
        assertThat(active()).contains("early");
        running.wasCutAndCounted();
    }

    @Test
    void ofTwoPoliciesWithOneNameTheBetterIsAskedAndTheOtherOnceThatIsGone() throws Exception {
        String first = SamplePolicy.source().replace("default 60", "default 1").replace("too few packets", "the first");
        String ranked = first.replace("com.example.small", "com.example.ranked").replace("the first", "the ranked")
                .replace("default 1;", "default 2;")
                .replace("\"com.example.ranked\")", "\"com.example.ranked\", property = \"service.ranking:Integer=7\")");
        String equal = first.replace("com.example.small", "com.example.equal").replace("the first", "the equal");
        try (Notifications notifications = new Notifications("Expiry");
                LogLines log = new LogLines("io.flowbypass.expiry")) {
            felix.install("first", new ByteArrayInputStream(SamplePolicy.build(directory, first)));
            isEnded(5001, "small: the first");

            felix.install("equal", new ByteArrayInputStream(SamplePolicy.build(directory, equal)));
            named(log, "com.example.small.SmallPolicy", "com.example.equal.SmallPolicy");
            isEnded(5002, "small: the first");

            felix.install("ranked", new ByteArrayInputStream(SamplePolicy.build(directory, ranked)));
            named(log, "com.example.ranked.SmallPolicy", "com.example.small.SmallPolicy");
            isEnded(5003, "small: the ranked");
            assertThat(Jmx.attribute("Policy,name=small", "AgeSeconds")).as("of the one that is asked").isEqualTo(2);
            assertThat(active()).containsOnlyOnce("small");

            felix.stop("com.example.ranked");
            isEnded(5004, "small: the first");
            assertThat(Jmx.attribute("Policy,name=small", "AgeSeconds")).isEqualTo(1);
            Jmx.setAttribute("Policy,name=small", "AgeSeconds", 2);
            assertThat(felix.configuration("com.example.small")).contains("age.seconds = 2");
            felix.stop("com.example.small");
            isEnded(5005, "small: the equal");
            felix.stop("com.example.equal");
            Jmx.eventually(() -> !active().contains("small") && !Jmx.isThere("Policy,name=small"), "the last one is gone");
            Jmx.eventually(() -> notifications.of("policy.swapped").size() >= 5, "the last one is told");
            assertThat(notifications.of("policy.swapped")).hasSize(5)
                    .filteredOn(each -> each.endsWith("small was removed, another of that name is used")).hasSize(2);
        }
        running.wasCutAndCounted();
    }

    /** The log says which one is asked and which one is not. */
    private static void named(LogLines log, String used, String unused) {
        Jmx.eventually(() -> log.lines().stream().anyMatch(line -> line.matches("two policies are named small: small "
                + "\\(service \\d+, " + used + "\\) is used, small \\(service \\d+, " + unused + "\\) is not; rename.*")),
                used + " is used, " + unused + " is not");
    }
}
