// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.BpfObject;
import io.flowbypass.libbpf.NativeBuffer;
import io.flowbypass.libbpf.TestRun;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** {@code driver.bpf.c}: sends packets of random flows through a program. For one thread. */
final class Driver implements AutoCloseable {
    // struct state
    private static final int STATE = 24;
    private static final int LOST = 20;
    private static final int SEED = 42;

    private final BpfObject object;

    private Driver(BpfObject object) {
        this.object = object;
    }

    /** Loads it. */
    static Driver load(Run run) throws IOException {
        Driver driver = new Driver(run.object("driver"));
        try {
            driver.object.load();
            return driver;
        } catch (RuntimeException refused) {
            driver.close();
            throw refused;
        }
    }

    /** Descriptor of a program that drops whatever comes, and does nothing else. */
    int drop() {
        return object.programDescriptor("drop");
    }

    /** Descriptor of a program that reads a packet as those of the classic design do, looks nothing up, and passes it. */
    int parse() {
        return object.programDescriptor("parse");
    }

    /**
     * Sends packets through a program, each of a random flow; in each run of the same flows in the same order.
     *
     * @param first number of the first flow that a packet may belong to
     * @param flows how many there are
     */
    TestRun run(int program, Family family, int first, int flows, int packets) throws IOException {
        byte[] zero = new byte[Integer.BYTES];
        int states = object.mapDescriptor("states");
        Bpf.update(object.mapDescriptor("measured"), zero, allocate(Integer.BYTES).putInt(program).array());
        Bpf.update(states, zero, allocate(STATE).putLong(SEED).putInt(first).putInt(flows).putInt(family.numberOffset())
                .array());
        TestRun run = Bpf.testRun(object.programDescriptor("driver"), family.frame(first), packets);
        NativeBuffer state = NativeBuffer.allocate(STATE);
        Bpf.lookup(states, NativeBuffer.of(zero), 0, state, 0, 0);
        int lost = state.bytes().getInt(LOST);
        if (lost != 0) {
            throw new IOException(String.format("The driver is wrong: %,d of %,d packets did not reach the program that is"
                    + " measured.", lost, packets));
        }
        return run;
    }

    private static ByteBuffer allocate(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
    }

    @Override
    public void close() {
        object.close();
    }
}
