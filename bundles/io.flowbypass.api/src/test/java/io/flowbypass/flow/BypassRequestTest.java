// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class BypassRequestTest {
    private static final BypassRequest REQUEST = BypassRequest.of(FlowKey.of(6, "10.0.0.1", 1, "10.0.0.2", 2));

    @Test
    void shouldMeasureTextsInBytesOfUtf8() {
        assertThat(REQUEST.withAsker("sixteen-letters!").asker()).hasSize(16);
        assertThatThrownBy(() -> REQUEST.withAsker("seventeen-letters")).hasMessageContaining("17 bytes");
        assertThatThrownBy(() -> REQUEST.withRule("neun-Umlaute-ääää")).hasMessageContaining("rule");
        assertThatThrownBy(() -> REQUEST.withCookie("x".repeat(33))).hasMessageContaining("at most 32");
    }

    @Test
    void shouldRefuseControlCharacters() {
        assertThatThrownBy(() -> REQUEST.withCookie("a\0b")).hasMessageContaining("cookie has the control character U+0000");
        assertThatThrownBy(() -> REQUEST.withRule("\u001b[2J"))
                .hasMessageContaining("rule has the control character U+001B");
        for (String wrong : new String[] {"\n", "\u001f", "\u007f", "\u0080", "\u009b", "\u009f"}) {
            assertThatThrownBy(() -> REQUEST.withAsker("a" + wrong)).hasMessageContaining("control character");
        }
        assertThat(REQUEST.withCookie(" ~\u00a0ä€").cookie()).isEqualTo(" ~\u00a0ä€");
    }

    @Test
    void shouldTakeTimeoutsFromAMillisecondToAWeek() {
        assertThat(REQUEST.withIdleTimeout(Duration.ofDays(7)).idleTimeout()).isEqualTo(Duration.ofDays(7));
        assertThat(REQUEST.withIdleTimeout(Duration.ZERO).idleTimeout()).isZero();
        for (Duration wrong : new Duration[] {Duration.ofNanos(5), Duration.ofSeconds(-1),
                Duration.ofDays(7).plusMillis(1)}) {
            assertThatThrownBy(() -> REQUEST.withIdleTimeout(wrong)).as(wrong.toString())
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("1 ms to 7 days");
        }
    }

    @Test
    void shouldLeaveTheRequestThatItCameFromAsItWas() {
        assertThat(REQUEST.withAsker("me").withOrigin(Origin.ZEEK).asker()).isEqualTo("me");
        assertThat(REQUEST.asker()).isEmpty();
        assertThat(REQUEST.origin()).isEqualTo(Origin.MANUAL);
    }
}
