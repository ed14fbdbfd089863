// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal.chaos;

import io.flowbypass.bench.internal.ClassicCutter;
import io.flowbypass.bench.internal.Family;
import java.util.BitSet;
import java.util.SplittableRandom;

/**
 * What a loader of the classic design does with the flows of a hash map: puts both directions in with counters of zero, and in the
 * end reads each and deletes it. For one thread.
 */
final class ReadThenDelete {
    private final ClassicCutter table;
    private final Account account;
    /** In one system call, as the kernel has it since 5.14, or in two. */
    private final boolean atOnce;
    private final SplittableRandom random;
    private final int flows;
    private final BitSet there = new BitSet();
    private long ended;

    ReadThenDelete(ClassicCutter table, Account account, boolean atOnce, int flows, int seed) {
        this.table = table;
        this.account = account;
        this.atOnce = atOnce;
        this.flows = flows;
        random = new SplittableRandom(seed);
    }

    /** Puts a random flow in or, where it is there, takes it out. */
    void step() {
        int flow = Numbered.low(random, flows);
        if (there.get(flow)) {
            takeOut(flow);
        } else {
            putIn(flow);
        }
    }

    /** Takes out all that are there. */
    void end() {
        for (int flow = there.nextSetBit(0); flow >= 0; flow = there.nextSetBit(flow + 1)) {
            takeOut(flow);
        }
    }

    long ended() {
        return ended;
    }

    private void putIn(int flow) {
        Family family = Numbered.family(flow);
        for (int direction = 0; direction < 2; direction++) {
            table.put(family, key(family, flow, direction));
        }
        there.set(flow);
    }

    private void takeOut(int flow) {
        Family family = Numbered.family(flow);
        for (int direction = 0; direction < 2; direction++) {
            ClassicCutter.Counters counters = table.takeOut(family, key(family, flow, direction), atOnce);
            account.add(flow, direction, counters.packets(), counters.bytes());
        }
        there.clear(flow);
        ended++;
    }

    private static byte[] key(Family family, int flow, int direction) {
        byte[] key = family.classicKey(Numbered.inFamily(flow));
        return direction == 0 ? key : family.reversedClassicKey(key);
    }
}
