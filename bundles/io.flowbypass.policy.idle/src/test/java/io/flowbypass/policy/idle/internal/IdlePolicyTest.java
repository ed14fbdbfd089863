// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.policy.idle.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.flow.Decision;
import io.flowbypass.flow.Direction;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowTest;
import io.flowbypass.flow.FlowView;
import java.lang.annotation.Annotation;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IdlePolicyTest {
    private final IdlePolicy policy = new IdlePolicy();

    @BeforeEach
    void startWithTheDefaults() {
        policy.configure(new Settings(300, 60, 30, 30));
    }

    @ParameterizedTest(name = "protocol {0}: {1} s")
    @CsvSource({"6, 300", "17, 60", "1, 30", "58, 30", "132, 30"})
    void endsAFlowExactlyAtTheTimeoutOfItsProtocol(int protocol, int seconds) {
        FlowTest test = policy.begin(null);
        long timeout = Duration.ofSeconds(seconds).toNanos();

        assertThat(test.decide(new Flow(protocol, timeout - 1, 0))).isSameAs(Decision.KEEP);
        assertThat(test.decide(new Flow(protocol, timeout, 0)).reason()).isEqualTo(EndReason.IDLE);
    }

    @Test
    void letsTheTimeoutOfTheFlowWinInBothDirections() {
        FlowTest test = policy.begin(null);
        long tenSeconds = Duration.ofSeconds(10).toNanos();
        long oneHour = Duration.ofHours(1).toNanos();

        assertThat(test.decide(new Flow(6, tenSeconds, tenSeconds)).ends()).isTrue();
        assertThat(test.decide(new Flow(6, oneHour - 1, oneHour)).ends()).isFalse();
    }

    @Test
    void givesTheSameDecisionObjectToEveryFlowThatEnds() {
        FlowTest test = policy.begin(null);
        Flow old = new Flow(6, Duration.ofDays(1).toNanos(), 0);

        assertThat(test.decide(old)).isSameAs(test.decide(old));
    }

    @Test
    void usesNewTimeoutsFromTheNextSweepOnAndNotInARunningOne() {
        FlowTest running = policy.begin(null);
        policy.configure(new Settings(10, 60, 30, 30));
        Flow silentForTwentySeconds = new Flow(6, Duration.ofSeconds(20).toNanos(), 0);

        assertThat(running.decide(silentForTwentySeconds).ends()).isFalse();
        assertThat(policy.begin(null).decide(silentForTwentySeconds).ends()).isTrue();
    }

    @ParameterizedTest(name = "{0} s")
    @CsvSource({"0", "-1", "604801"})
    void refusesATimeoutOutOfRangeAndKeepsTheOldOnes(int seconds) {
        assertThatThrownBy(() -> policy.configure(new Settings(300, seconds, 30, 30)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("udp.seconds = " + seconds)
                .hasMessageContaining("1 to 604800");
        assertThat(policy.begin(null).decide(new Flow(17, Duration.ofSeconds(60).toNanos(), 0)).ends()).isTrue();
    }

    private record Flow(int protocol, long idleNanos, long ownTimeout) implements FlowView {
        @Override
        public long idleTimeoutNanos(long otherwise) {
            return ownTimeout == 0 ? otherwise : ownTimeout;
        }

        @Override
        public long idleErrorNanos() {
            return 0;
        }

        @Override
        public long ageNanos() {
            throw new AssertionError("idle does not look at the age");
        }

        @Override
        public long packets(Direction direction) {
            throw new AssertionError("idle does not look at packets");
        }

        @Override
        public long bytes(Direction direction) {
            throw new AssertionError("idle does not look at bytes");
        }

        @Override
        public int tcpFlags(Direction direction) {
            throw new AssertionError("idle does not look at flags");
        }

        @Override
        public FlowKey key() {
            throw new AssertionError("the key allocates");
        }
    }

    @SuppressWarnings("ClassExplicitlyAnnotation")
    private record Settings(int tcp_seconds, int udp_seconds, int icmp_seconds, int other_seconds)
            implements IdlePolicy.Config {
        @Override
        public Class<? extends Annotation> annotationType() {
            return IdlePolicy.Config.class;
        }
    }
}
