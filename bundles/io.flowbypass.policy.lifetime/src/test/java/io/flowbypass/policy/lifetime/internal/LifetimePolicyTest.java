// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.policy.lifetime.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.flow.Decision;
import io.flowbypass.flow.Direction;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowView;
import java.lang.annotation.Annotation;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LifetimePolicyTest {
    private static final long NOT_TO_BE_ASKED = -1;

    private final LifetimePolicy policy = new LifetimePolicy();

    private Decision decide(long ageNanos, long there, long back) {
        return policy.begin(null).decide(new Flow(ageNanos, there, back));
    }

    @Test
    void shouldKeepEveryFlowAsShipped() {
        policy.configure(new Settings(0, 0));
        assertThat(decide(Long.MAX_VALUE - 1, 1L << 59, 1L << 59)).isSameAs(Decision.KEEP);
    }

    @Test
    void shouldEndABusyFlowExactlyAtItsMaximumAge() {
        policy.configure(new Settings(60, 0));
        assertThat(decide(TimeUnit.SECONDS.toNanos(60) - 1, 0, 0)).isSameAs(Decision.KEEP);
        assertThat(decide(TimeUnit.SECONDS.toNanos(60), 0, 0)).hasToString("LIFETIME (age)");
    }

    @Test
    void shouldEndAFlowOnceBothDirectionsTogetherReachTheVolume() {
        policy.configure(new Settings(0, 1000));
        assertThat(decide(0, 600, 399)).isSameAs(Decision.KEEP);
        assertThat(decide(0, 600, 400)).hasToString("LIFETIME (volume)");
        assertThat(decide(0, 600, 400).reason()).isEqualTo(EndReason.LIFETIME);
    }

    @Test
    void shouldNotAskForVolumesWhichAreDearUnlessThereIsAMaximum() {
        policy.configure(new Settings(60, 0));
        assertThat(decide(0, NOT_TO_BE_ASKED, NOT_TO_BE_ASKED)).isSameAs(Decision.KEEP);
    }

    @ParameterizedTest(name = "{0} s, {1} bytes")
    @CsvSource({"-1, 0, max.seconds = -1", "31536001, 0, max.seconds = 31536001", "0, -1, max.bytes = -1"})
    void shouldRefuseALimitOutOfRangeAndKeepTheOldOnes(int seconds, long bytes, String named) {
        policy.configure(new Settings(60, 0));
        assertThatThrownBy(() -> policy.configure(new Settings(seconds, bytes))).hasMessageContaining(named);
        assertThat(decide(TimeUnit.SECONDS.toNanos(60), 0, 0).ends()).isTrue();
    }

    /** What of a flow the policy looks at. */
    private record Flow(long ageNanos, long there, long back) implements FlowView {
        @Override
        public int protocol() {
            throw new AssertionError("the policy does not look at that");
        }

        @Override
        public long idleNanos() {
            throw new AssertionError("the policy does not look at that");
        }

        @Override
        public long idleErrorNanos() {
            throw new AssertionError("the policy does not look at that");
        }

        @Override
        public long packets(Direction direction) {
            throw new AssertionError("the policy does not look at that");
        }

        @Override
        public long bytes(Direction direction) {
            long bytes = direction == Direction.FORWARD ? there : back;
            assertThat(bytes).isNotEqualTo(NOT_TO_BE_ASKED);
            return bytes;
        }

        @Override
        public int tcpFlags(Direction direction) {
            throw new AssertionError("the policy does not look at that");
        }

        @Override
        public long idleTimeoutNanos(long otherwise) {
            throw new AssertionError("the policy does not look at that");
        }

        @Override
        public FlowKey key() {
            throw new AssertionError("the key allocates");
        }
    }

    @SuppressWarnings("ClassExplicitlyAnnotation")
    private record Settings(int max_seconds, long max_bytes) implements LifetimePolicy.Config {
        @Override
        public Class<? extends Annotation> annotationType() {
            return LifetimePolicy.Config.class;
        }
    }
}
