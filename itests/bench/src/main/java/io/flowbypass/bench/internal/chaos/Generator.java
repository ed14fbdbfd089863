// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal.chaos;

import io.flowbypass.bench.internal.Family;
import io.flowbypass.bench.internal.Program;
import io.flowbypass.bench.internal.Run;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.stream.Stream;

/** {@code generator.c}: packets on every CPU, and what became of each. For one thread. */
final class Generator implements AutoCloseable {
    private final Program program;
    private final Path counts;

    private Generator(Program program, Path counts) {
        this.program = program;
        this.counts = counts;
    }

    /**
     * What it has seen.
     *
     * @param packets that it has sent
     * @param dropped of these
     * @param residentsPassed packets of flows that are bypassed all the time, and were not dropped
     * @param syns SYNs that it has sent
     * @param synsDropped of these
     */
    record Totals(long packets, long dropped, long residentsPassed, long syns, long synsDropped) {
    }

    /** Starts it for the program with that id. */
    static Generator start(Run run, int programId, int residents, int flows, boolean withSyns) throws IOException {
        HexFormat hex = HexFormat.of();
        return new Generator(run.program("generator", programId, residents, flows, withSyns ? 1 : 0, run.seed(),
                hex.formatHex(Numbered.firstFrame(Family.IPV4)), hex.formatHex(Numbered.firstFrame(Family.IPV6))),
                run.directory().resolve("counts"));
    }

    void go() throws IOException, InterruptedException {
        program.ask("go");
    }

    Totals stop() throws IOException, InterruptedException {
        long[] numbers = Stream.of(program.ask("stop").split(" ")).mapToLong(Long::parseLong).toArray();
        return new Totals(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]);
    }

    /** Dropped packets of each flow from its source, and to it. */
    long[] dropped() throws IOException, InterruptedException {
        program.ask("write " + counts);
        ByteBuffer all = ByteBuffer.wrap(Files.readAllBytes(counts)).order(ByteOrder.nativeOrder());
        long[] dropped = new long[all.remaining() / Long.BYTES];
        all.asLongBuffer().get(dropped);
        return dropped;
    }

    @Override
    public void close() {
        program.close();
    }
}
