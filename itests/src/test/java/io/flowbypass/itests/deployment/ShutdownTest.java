// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.itests.lab.Jmx;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Who swaps and tunes policies while the framework shuts down is answered, by that it was done or by a sentence; and the
 * next start finds whole files.
 */
class ShutdownTest extends FlowLab {
    private static final int ROUNDS = 5;
    private static final int FIRST = 1000;
    private static final Duration SCR_GIVES_UP = Duration.ofSeconds(5);
    private static final List<String> LISTS = List.of("idle,tcp", "tcp,lifetime,adaptive,idle");
    /** It is not there any more, or it says what has become of the change. */
    private static final String CLEAR = "javax.management.InstanceNotFoundException: io.flowbypass:type=.*"
            + "|java.lang.IllegalStateException: \\S+ (.* )?(may be lost at the next start"
            + "|was stored, but is not in force after 2 s|is unchanged|is not stored): .*";
    private static final String VALUE = "(?m)^(active.policies|sweep.interval.millis|udp.seconds) =.*$";

    private final List<Changer> changers = new ArrayList<>();

    @AfterEach
    void endAll() {
        changers.forEach(changer -> changer.ends = true);
    }

    /** Changes something again and again, each time by the next number. */
    private final class Changer extends Thread {
        private final IntConsumer change;
        private final List<Throwable> refusals = new CopyOnWriteArrayList<>();
        private volatile boolean ends;
        /** The last number that was tried, and the last one of which it was said that it is done. */
        private volatile int tried;
        private volatile int done;

        Changer(int first, IntConsumer change) {
            this.change = change;
            tried = first;
            changers.add(this);
            start();
        }

        @Override
        public void run() {
            while (!ends) {
                tried = tried + 1;
                try {
                    change.accept(tried);
                    done = tried;
                } catch (RuntimeException refused) {
                    refusals.add(refused);
                }
            }
        }

        void end() throws InterruptedException {
            ends = true;
            join(TimeUnit.SECONDS.toMillis(30));
            assertThat(isAlive()).as("it hangs").isFalse();
        }
    }

    @Test
    void swapsAndChangesAreDoneOrRefused() throws Exception {
        byte[] jar = SamplePolicy.build(directory, SamplePolicy.source());
        String expiry = felix.configuration("io.flowbypass.expiry").replaceAll(VALUE, "");
        String idle = felix.configuration("io.flowbypass.policy.idle").replaceAll(VALUE, "");
        for (int round = 1; round <= ROUNDS; round++) {
            Changer interval = new Changer(round * FIRST,
                    millis -> Jmx.setAttribute("Expiry", "SweepIntervalMillis", millis));
            Changer timeout = new Changer(round * FIRST,
                    seconds -> Jmx.setAttribute("Policy,name=idle", "UdpSeconds", seconds));
            Changer list = new Changer(0, number -> Jmx.invoke("Expiry", "selectPolicies", LISTS.get(number % 2)));
            Jmx.eventually(() -> interval.done > 0 && timeout.done > 0 && list.done > 0, "each of them works");
            if (round % 2 == 1) {
                felix.drop("small.jar", jar);
            } else {
                Files.delete(felix.load().resolve("small.jar"));
            }
            long began = System.nanoTime();
            felix.stop();
            assertThat(Duration.ofNanos(System.nanoTime() - began)).as("nobody waits for a lock that SCR gives up")
                    .isLessThan(SCR_GIVES_UP);
            for (Changer changer : List.of(interval, timeout, list)) {
                changer.end();
                assertThat(changer.refusals).allMatch(ShutdownTest::isClear);
            }
            assertThat(felix.configuration("io.flowbypass.expiry").replaceAll(VALUE, "")).isEqualTo(expiry);
            assertThat(felix.configuration("io.flowbypass.policy.idle").replaceAll(VALUE, "")).isEqualTo(idle);
            try (Stream<Path> files = Files.list(felix.etc())) {
                assertThat(files.map(Path::toString)).allMatch(name -> name.endsWith(".cfg"));
            }
            running.awaitMoreTraffic();

            felix.start();
            assertThat((Integer) Jmx.attribute("Expiry", "SweepIntervalMillis")).isBetween(interval.done, interval.tried);
            assertThat((Integer) Jmx.attribute("Policy,name=idle", "UdpSeconds")).isBetween(timeout.done, timeout.tried);
            assertThat(LISTS).contains(String.join(",", active()));
            boolean there = round % 2 == 1;
            Jmx.eventually(() -> Jmx.attribute("Expiry", "AvailablePolicies").toString().contains("small") == there,
                    "the jar's policy is installed while the jar is there");
        }
        running.wasCutAndCounted();
    }

    private static boolean isClear(Throwable refused) {
        return refused != null && (refused.toString().matches(CLEAR) || isClear(refused.getCause()));
    }
}
