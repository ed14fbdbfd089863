// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.flow.EndReason;
import org.junit.jupiter.api.Test;

class AccountTest {
    private static final int FLOW = 3;

    private final Account account = new Account(4, 2);

    private static Message record(int slot, int generation, long packetsFrom, long packetsTo) {
        return new Message(Message.RECORD, FLOW, slot, generation, packetsFrom, packetsTo,
                packetsFrom * Numbered.length(FLOW), packetsTo * Numbered.length(FLOW), EndReason.RELEASED.code());
    }

    private Account.Difference against(long from, long to) {
        long[] dropped = new long[8];
        dropped[2 * FLOW] = from;
        dropped[2 * FLOW + 1] = to;
        return account.compare(dropped);
    }

    @Test
    void shouldAddTheRecordsOfAFlow() {
        account.add(record(0, 1, 5, 2));
        account.add(record(1, 9, 1, 0));
        assertThat(against(6, 2)).isEqualTo(new Account.Difference(0, 0, 0));
        assertThat(account.ended(EndReason.RELEASED)).isEqualTo(2);
    }

    @Test
    void shouldTakeARecordThatComesAgainOnce() {
        account.add(record(0, 1, 5, 2));
        account.add(record(0, 1, 5, 2));
        assertThat(against(5, 2).flowsOff()).isZero();
        assertThat(account.repeated()).isEqualTo(1);
        assertThat(account.contradiction()).isEmpty();
    }

    @Test
    void shouldContradictWhereARecordComesAgainWithOtherCountsOrTooLate() {
        account.add(record(0, 1, 5, 2));
        account.add(record(0, 1, 5, 3));
        assertThat(account.contradiction()).contains("came after");
        Account another = new Account(4, 2);
        another.add(record(0, 0x8000_0000, 1, 0));
        another.add(record(0, 7, 1, 0));
        assertThat(another.contradiction()).contains("came after");
    }

    @Test
    void shouldTellWhatIsMissingFromWhatIsTooMuch() {
        account.add(record(0, 1, 5, 2));
        assertThat(against(7, 1)).isEqualTo(new Account.Difference(2, 1, 1));
    }

    @Test
    void shouldNotCallAFlowExactWhoseBytesAreOff() {
        account.add(FLOW, 0, 5, 5L * Numbered.length(FLOW) + 1);
        assertThat(against(5, 0)).isEqualTo(new Account.Difference(0, 0, 1));
    }

    @Test
    void shouldKnowAFlowByItsKeyInEitherDirection() {
        for (int flow = 0; flow < 200; flow++) {
            assertThat(Numbered.of(Numbered.key(flow))).isEqualTo(flow);
            assertThat(Numbered.of(Numbered.key(flow).reversed())).isEqualTo(flow);
            assertThat(Numbered.isFromSource(Numbered.key(flow))).isTrue();
            assertThat(Numbered.isFromSource(Numbered.key(flow).reversed())).isFalse();
        }
    }
}
