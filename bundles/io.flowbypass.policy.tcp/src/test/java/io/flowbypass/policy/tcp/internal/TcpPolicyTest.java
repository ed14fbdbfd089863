// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.policy.tcp.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.flow.Decision;
import io.flowbypass.flow.Direction;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowView;
import java.lang.annotation.Annotation;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TcpPolicyTest {
    private static final int FIN = 1;
    private static final int RST = 4;
    private static final int ACK = 16;

    private final TcpPolicy policy = new TcpPolicy();

    @BeforeEach
    void startWithTheDefaults() {
        policy.configure(new Settings(5, 10, 60));
    }

    private Decision decide(int protocol, int there, int back, long nanos) {
        return policy.begin(null).decide(new Flow(protocol, nanos, there, back));
    }

    @ParameterizedTest(name = "flags {0} and {1}: {2} s, {3} {4}")
    @CsvSource({"4, 16, 5, TCP_RESET, ''", "16, 4, 5, TCP_RESET, ''", "5, 1, 5, TCP_RESET, ''", "17, 17, 10, TCP_CLOSED, ''",
        "17, 16, 60, TCP_CLOSED, half-closed", "16, 17, 60, TCP_CLOSED, half-closed"})
    void shouldEndAConnectionThatIsOverExactlyAtItsLinger(int there, int back, int seconds, EndReason reason, String detail) {
        long linger = TimeUnit.SECONDS.toNanos(seconds);
        assertThat(decide(6, there, back, linger - 1)).isSameAs(Decision.KEEP);
        assertThat(decide(6, there, back, linger).reason()).isEqualTo(reason);
        assertThat(decide(6, there, back, linger).detail()).isEqualTo(detail);
    }

    @Test
    void shouldKeepAConnectionThatIsOpenHoweverSilent() {
        assertThat(decide(6, ACK, ACK, TimeUnit.DAYS.toNanos(1))).isSameAs(Decision.KEEP);
    }

    @Test
    void shouldKeepWhatIsNotTcp() {
        assertThat(decide(17, FIN | RST, FIN | RST, TimeUnit.DAYS.toNanos(1))).isSameAs(Decision.KEEP);
    }

    @ParameterizedTest(name = "{0} s")
    @CsvSource({"0", "-1", "86401"})
    void shouldRefuseALingerOutOfRangeAndKeepTheOldOnes(int seconds) {
        assertThatThrownBy(() -> policy.configure(new Settings(seconds, 10, 60)))
                .hasMessageContaining("reset.seconds = " + seconds).hasMessageContaining("1 to 86400");
        assertThat(decide(6, RST, 0, TimeUnit.SECONDS.toNanos(5)).ends()).isTrue();
    }

    /** What of a flow the policy looks at. */
    private record Flow(int protocol, long idleNanos, int there, int back) implements FlowView {
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
            return direction == Direction.FORWARD ? there : back;
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
    private record Settings(int reset_seconds, int closed_seconds, int half_closed_seconds) implements TcpPolicy.Config {
        @Override
        public Class<? extends Annotation> annotationType() {
            return TcpPolicy.Config.class;
        }
    }
}
