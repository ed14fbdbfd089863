// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.libbpf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class XdpSocketsTest {
    private final ByteBuffer answer = ByteBuffer.allocate(1024).order(ByteOrder.nativeOrder());
    private final Set<Integer> queues = new TreeSet<>();

    @Test
    void shouldFindTheQueuesOfOneInterface() {
        socket(7, 1);
        socket(8, 2);
        socket(7, 0);
        assertThat(read()).as("more follows").isTrue();
        assertThat(queues).containsExactly(0, 1);
        answer.clear();
        header(3, 4).putInt(0);
        assertThat(read()).isFalse();
        assertThat(queues).containsExactly(0, 1);
    }

    @Test
    void shouldFindNoneWhereTheKernelCannotTell() {
        header(2, 4).putInt(-2);
        assertThat(read()).isFalse();
        assertThat(queues).isEmpty();
    }

    @Test
    void shouldSayWhatElseTheKernelRefuses() {
        header(2, 4).putInt(-1);
        assertThatThrownBy(this::read).isInstanceOf(BpfException.class).hasMessageContaining("asking failed with EPERM");
    }

    @Test
    void shouldAskTheKernel() {
        assertThat(XdpSockets.queues(1)).as("of the loopback interface").isEmpty();
    }

    private boolean read() {
        return XdpSockets.read(answer.flip(), 7, queues, "asking");
    }

    private ByteBuffer header(int type, int payload) {
        return answer.putInt(16 + payload).putShort((short) type).putShort((short) 2).putInt(0).putInt(4711);
    }

    /** As the kernel tells it when also asked for the user id: an attribute of another type comes first. */
    private void socket(int interfaceIndex, int queue) {
        header(20, 16 + 8 + 12).put((byte) 44).put((byte) 3).putShort((short) 0).putInt(100 + queue).putLong(0);
        answer.putShort((short) 6).putShort((short) 2).putInt(0);
        answer.putShort((short) 12).putShort((short) 1).putInt(interfaceIndex).putInt(queue);
    }
}
