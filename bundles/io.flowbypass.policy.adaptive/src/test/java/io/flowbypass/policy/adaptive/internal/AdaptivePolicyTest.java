// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.policy.adaptive.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import io.flowbypass.flow.Decision;
import io.flowbypass.flow.Direction;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowTest;
import io.flowbypass.flow.FlowView;
import io.flowbypass.policy.Sweep;
import java.lang.annotation.Annotation;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AdaptivePolicyTest {
    private static final int UDP = 17;

    private final AdaptivePolicy policy = new AdaptivePolicy();

    @BeforeEach
    void startBetween60And100PercentWithAFloorOf20() {
        policy.configure(new Settings(60, 100, 20, 300, 100, 30, 30));
    }

    private FlowTest begin(int flows) {
        return policy.begin(new Sweep() {
            @Override
            public long nowNanos() {
                return 0;
            }

            @Override
            public int activeFlows() {
                return flows;
            }

            @Override
            public int capacity() {
                return 1000;
            }
        });
    }

    @ParameterizedTest(name = "{0} of 1000 flows: {1} s of 100 s")
    @CsvSource({"601, 99.75", "700, 75", "800, 50", "900, 25", "920, 20", "1000, 20"})
    void shouldShortenTimeoutsLinearlyDownToTheFloor(int flows, double seconds) {
        FlowTest test = begin(flows);
        long timeout = (long) (seconds * TimeUnit.SECONDS.toNanos(1));
        assertThat(test.decide(new Flow(UDP, timeout - TimeUnit.MILLISECONDS.toNanos(1), 0))).isSameAs(Decision.KEEP);
        assertThat(test.decide(new Flow(UDP, timeout + TimeUnit.MILLISECONDS.toNanos(1), 0)).reason()).isEqualTo(EndReason.IDLE);
        assertThat(policy.readings().get("now.udp.seconds")).isCloseTo(seconds, offset(1e-9));
        assertThat(policy.readings().get("now.percent")).isCloseTo(seconds, offset(1e-9));
    }

    @ParameterizedTest(name = "{0} of 1000 flows")
    @CsvSource({"0", "600"})
    void shouldKeepEveryFlowUpToTheFirstMark(int flows) {
        assertThat(begin(flows).decide(new Flow(UDP, Long.MAX_VALUE, 0))).isSameAs(Decision.KEEP);
        assertThat(policy.readings()).containsEntry("now.percent", 100.0).containsEntry("now.tcp.seconds", 300.0);
    }

    @Test
    void shouldShortenAFlowsOwnTimeoutToo() {
        long own = TimeUnit.SECONDS.toNanos(10);
        assertThat(begin(800).decide(new Flow(UDP, own / 2, own)).ends()).isTrue();
        assertThat(begin(800).decide(new Flow(UDP, own / 2 - 1, own)).ends()).isFalse();
    }

    @Test
    void shouldTellTheSameReadingsWhateverTheTable() {
        var empty = policy.readings().keySet();
        begin(1000);
        assertThat(policy.readings().keySet()).isEqualTo(empty);
    }

    @ParameterizedTest(name = "from {0} % to {1} %")
    @CsvSource({"90, 90", "90, 50"})
    void shouldFallToTheFloorAtTheFirstMarkWhereTheSecondIsNotHigher(int start, int end) {
        policy.configure(new Settings(start, end, 20, 300, 100, 30, 30));
        begin(900);
        assertThat(policy.readings()).containsEntry("now.percent", 100.0);
        begin(901);
        assertThat(policy.readings()).containsEntry("now.percent", 20.0);
    }

    /** What of a flow the policy looks at. */
    private record Flow(int protocol, long idleNanos, long ownTimeout) implements FlowView {
        @Override
        public long idleErrorNanos() {
            throw new AssertionError("the policy does not look at that");
        }

        @Override
        public long ageNanos() {
            throw new AssertionError("the policy does not look at that");
        }

        @Override
        public long packets(Direction direction) {
            throw new AssertionError("the policy does not look at that");
        }

        @Override
        public long bytes(Direction direction) {
            throw new AssertionError("the policy does not look at that");
        }

        @Override
        public int tcpFlags(Direction direction) {
            throw new AssertionError("the policy does not look at that");
        }

        @Override
        public long idleTimeoutNanos(long otherwise) {
            return ownTimeout == 0 ? otherwise : ownTimeout;
        }

        @Override
        public FlowKey key() {
            throw new AssertionError("the key allocates");
        }
    }

    @SuppressWarnings("ClassExplicitlyAnnotation")
    private record Settings(int start_percent, int end_percent, int floor_percent, int tcp_seconds, int udp_seconds,
            int icmp_seconds, int other_seconds) implements AdaptivePolicy.Config {
        @Override
        public Class<? extends Annotation> annotationType() {
            return AdaptivePolicy.Config.class;
        }
    }
}
