// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ReaderGateTest {
    @Test
    void shouldAdmitReadersUntilItCloses() {
        ReaderGate gate = new ReaderGate();
        assertThat(gate.enter()).isTrue();
        assertThat(gate.enter()).isTrue();
        gate.exit();
        gate.exit();
        gate.close();
        assertThat(gate.enter()).isFalse();
        assertThat(gate.isClosed()).isTrue();
        gate.close();
    }

    @Test
    void shouldWaitForTheReaderInside() throws Exception {
        ReaderGate gate = new ReaderGate();
        gate.enter();
        CompletableFuture<Void> closing = CompletableFuture.runAsync(gate::close);
        while (!gate.isClosed()) {
            Thread.onSpinWait();
        }
        assertThat(gate.enter()).isFalse();
        Thread.sleep(20);
        assertThat(closing).isNotDone();
        gate.exit();
        closing.get(2, TimeUnit.SECONDS);
    }

    @Test
    void shouldGiveUpOnAReaderThatStays() {
        ReaderGate gate = new ReaderGate(Duration.ofMillis(20));
        gate.enter();
        long begin = System.nanoTime();
        gate.close();
        assertThat(System.nanoTime() - begin).isBetween(20_000_000L, 4_000_000_000L);
        gate.exit();
        assertThat(gate.enter()).isFalse();
    }
}
