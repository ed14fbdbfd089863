// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.classic.internal;

import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.Origin;
import java.nio.ByteBuffer;

/** libflowbypass: nobody takes its flows out but its own loader, whose place Flowbypass takes; so the policies do. */
final class Libflowbypass extends DirectionDialect {
    private static final int CPU = 3 * Long.BYTES;
    private static final int PROTOCOL = 0xff;

    private final int cpus;

    Libflowbypass(boolean ipv6, int cpus) {
        super(Origin.OTHER, ipv6, CPU * cpus);
        this.cpus = cpus;
    }

    @Override
    boolean toolExpires() {
        return false;
    }

    @Override
    int protocolOf(int rest) {
        return rest & PROTOCOL;
    }

    @Override
    FlowKey withVlans(FlowKey flow, int rest) {
        return flow;
    }

    @Override
    int restOf(FlowKey flow) {
        return flow.protocol();
    }

    @Override
    void read(ByteBuffer values, int at, Counts into) {
        into.clear();
        for (int cpu = 0; cpu < cpus; cpu++) {
            int value = at + cpu * CPU;
            long time = values.getLong(value);
            into.time = cpu == 0 || time - into.time > 0 ? time : into.time;
            into.packets += values.getLong(value + Long.BYTES);
            into.bytes += values.getLong(value + 2 * Long.BYTES);
        }
    }
}
