// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import io.flowbypass.flow.DirectionCounts;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowState;
import io.flowbypass.libbpf.Bpf;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * UDP packets of known flows, given to the program one by one or many at once, and a count of those that it dropped: what a
 * flow's own counters must say. Thread-safe.
 */
public final class Traffic {
    private static final int UDP = 17;
    private static final int XDP_DROP = 1;
    private static final int DIRECTIONS = 2;

    private final int program;
    private final List<FlowKey> keys;
    private final byte[][] frames;
    private final AtomicLongArray dropped;

    /** Of these flows, which are UDP; the program is a descriptor. */
    public Traffic(int program, List<FlowKey> keys) {
        this.program = program;
        this.keys = List.copyOf(keys);
        frames = new byte[keys.size() * DIRECTIONS][];
        for (int flow = 0; flow < keys.size(); flow++) {
            frames[flow * DIRECTIONS] = frame(keys.get(flow));
            frames[flow * DIRECTIONS + 1] = frame(keys.get(flow).reversed());
        }
        dropped = new AtomicLongArray(frames.length);
    }

    private static byte[] frame(FlowKey key) {
        String source = key.source().getHostAddress();
        String destination = key.destination().getHostAddress();
        Frame frame = key.isIpv6() ? Frame.ethernet().ipv6(source, destination, UDP)
                : Frame.ethernet().ipv4(source, destination, UDP);
        return frame.udp(key.sourcePort(), key.destinationPort()).bytes();
    }

    /** The flow with this number. */
    public FlowKey key(int flow) {
        return keys.get(flow);
    }

    /**
     * Gives one packet to the program many times in a row. Only of the last one the kernel says what became of it; where
     * that was dropped, all count as dropped.
     *
     * @param direction 0 from the key's source, 1 from its destination
     * @return whether it was dropped
     */
    public boolean send(int flow, int direction, int times) {
        int number = flow * DIRECTIONS + direction;
        boolean cut = Bpf.testRun(program, frames[number], times).result() == XDP_DROP;
        if (cut) {
            dropped.addAndGet(number, times);
        }
        return cut;
    }

    /** What the counters of a flow must say, in a line; the key in the direction in which it is known here. */
    public String expected(int flow) {
        return line(flow, dropped.get(flow * DIRECTIONS), (long) frames[flow * DIRECTIONS].length
                * dropped.get(flow * DIRECTIONS), dropped.get(flow * DIRECTIONS + 1),
                (long) frames[flow * DIRECTIONS + 1].length * dropped.get(flow * DIRECTIONS + 1));
    }

    /** What they say, in the same form: the sum of all that a flow's bypasses counted. */
    public String counted(int flow, List<FlowState> bypasses) {
        long[] sums = new long[4];
        for (FlowState bypass : bypasses) {
            boolean sameDirection = bypass.key().equals(keys.get(flow));
            DirectionCounts there = sameDirection ? bypass.forward() : bypass.reverse();
            DirectionCounts back = sameDirection ? bypass.reverse() : bypass.forward();
            sums[0] += there.packets();
            sums[1] += there.bytes();
            sums[2] += back.packets();
            sums[3] += back.bytes();
        }
        return line(flow, sums[0], sums[1], sums[2], sums[3]);
    }

    private String line(int flow, long packetsThere, long bytesThere, long packetsBack, long bytesBack) {
        return keys.get(flow) + ": " + packetsThere + " packets of " + bytesThere + " bytes, back " + packetsBack
                + " packets of " + bytesBack + " bytes";
    }
}
