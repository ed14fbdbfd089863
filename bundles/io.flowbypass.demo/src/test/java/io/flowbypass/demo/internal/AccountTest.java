// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.demo.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class AccountTest {
    private static Account account(long expired, long tapped, long cut, long recorded, List<String> troubles) {
        return new Account(30, "6.1.0", "native", 4, expired, 4, 0, tapped, 100, 0, cut, cut * 1000, recorded, 0,
                troubles);
    }

    @Test
    void shouldBeOkWhenEveryPacketWasSeenOrCut() {
        assertThat(account(4, 1100, 1000, 1000, List.of()).result()).isEqualTo("ok");
    }

    @Test
    void shouldNameWhatIsMissing() {
        assertThat(account(4, 1101, 1000, 1000, List.of()).result()).startsWith("1 packets are unaccounted for");
        assertThat(account(0, 1100, 1000, 1000, List.of()).result()).isEqualTo("No flow expired.");
        assertThat(account(4, 1100, 1000, 999, List.of()).result()).contains("999 packets, but 1000 were cut");
        assertThat(account(4, 100, 0, 0, List.of()).result()).isEqualTo("No packet was cut.");
        assertThat(account(4, 1100, 1000, 1000, List.of("A.", "B.")).result()).isEqualTo("A. B.");
    }

    @Test
    void shouldWriteJson() {
        assertThat(account(4, 1100, 1000, 1000, List.of("a \"b\"\n\\")).json()).startsWith("{\n  \"seconds\": 30,\n")
                .contains("\"packetsUnaccounted\": 0,").endsWith("\"result\": \"a \\\"b\\\"\\u000a\\\\\"\n}\n");
    }
}
