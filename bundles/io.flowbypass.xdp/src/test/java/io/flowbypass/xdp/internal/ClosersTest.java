// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ClosersTest {
    @Test
    void shouldCloseTheLatestFirstAndTheOthersToo() {
        List<String> closed = new ArrayList<>();
        Closers closers = new Closers();
        closers.add(() -> closed.add("lock"));
        closers.add(() -> {
            throw new IllegalStateException("this one always fails");
        });
        closers.add(() -> {
            throw new NoClassDefFoundError("this one as well");
        });
        closers.add(() -> closed.add("program"));
        closers.close();
        closers.close();
        assertThat(closed).containsExactly("program", "lock");
    }
}
