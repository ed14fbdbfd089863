// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.maps.Gate;
import io.flowbypass.maps.Mapping;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class SettingsTest {
    private final Mapping memory = new Mapping(ByteBuffer.allocateDirect(Settings.SIZE));
    private final TestGate gate = new TestGate();
    private final Settings settings = new Settings(memory, gate);

    @Test
    void shouldBeginAliveAndNotPaused() {
        memory.put(0, Settings.initial(1000, 256, 60, 0x1122334455667788L));
        assertThat(settings.capacity()).isEqualTo(1000);
        assertThat(settings.leaseSeconds()).isEqualTo(60);
        assertThat(settings.abiHash()).isEqualTo(0x1122334455667788L);
        assertThat(settings.paused()).isFalse();
        assertThat(settings.nanosSinceHeartbeat()).isBetween(0L, 10_000_000_000L);
        assertThat(memory.getInt(32)).isEqualTo(256);
        assertThat(memory.getInt(108)).isEqualTo(2);
    }

    @Test
    void shouldGiveEveryTableSeedsOfItsOwn() {
        memory.put(0, Settings.initial(1000, 256, 60, 1));
        long[] seeds = settings.seeds();
        long id = settings.tableId();
        memory.put(0, Settings.initial(1000, 256, 60, 1));
        assertThat(settings.seeds()).doesNotContain(seeds);
        assertThat(settings.tableId()).isNotEqualTo(id);
    }

    @Test
    void shouldCountAHeartbeatOfTheFutureAsNow() {
        memory.setLong(0, System.nanoTime() + 1_000_000_000_000L);
        assertThat(settings.nanosSinceHeartbeat()).isZero();
    }

    @Test
    void shouldBeOutOfReachOnceTheGateIsClosed() {
        settings.setPaused(true);
        assertThat(settings.paused()).isTrue();
        gate.close();
        assertThatThrownBy(settings::heartbeat).isInstanceOf(IllegalStateException.class);
    }

    private static final class TestGate implements Gate {
        private boolean closed;

        @Override
        public boolean enter() {
            return !closed;
        }

        @Override
        public void exit() {
        }

        @Override
        public void close() {
            closed = true;
        }
    }
}
