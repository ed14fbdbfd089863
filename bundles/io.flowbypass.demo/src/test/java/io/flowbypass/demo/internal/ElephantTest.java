// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.demo.internal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ElephantTest {
    @Test
    void shouldBeTheSameAfterItWasALine() {
        Elephant elephant = new Elephant(false, "2001:db8::1", 23000, "2001:db8::2", 10_000);
        assertThat(Elephant.ofLine(elephant.line())).isEqualTo(elephant);
    }
}
