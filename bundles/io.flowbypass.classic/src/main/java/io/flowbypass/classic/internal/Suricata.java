// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.classic.internal;

import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.Origin;
import io.flowbypass.flow.Protocols;
import java.nio.ByteBuffer;

/** Suricata: it takes its flows out itself, as long as it lives. No time in its values. */
final class Suricata extends DirectionDialect {
    private static final int CPU = 2 * Long.BYTES;
    private static final int OUTER = 0x7fff;
    private static final int OUTER_SHIFT = 1;

    private final int cpus;

    Suricata(boolean ipv6, int cpus) {
        super(Origin.SURICATA, ipv6, CPU * cpus);
        this.cpus = cpus;
    }

    @Override
    boolean toolExpires() {
        return true;
    }

    @Override
    int protocolOf(int rest) {
        return (rest & 1) == 1 ? Protocols.TCP : Protocols.UDP;
    }

    @Override
    FlowKey withVlans(FlowKey flow, int rest) {
        return withVlans(flow, rest >> OUTER_SHIFT & OUTER, rest >>> Short.SIZE);
    }

    @Override
    int restOf(FlowKey flow) {
        if (flow.protocol() != Protocols.TCP && flow.protocol() != Protocols.UDP) {
            return -1;
        }
        return (flow.protocol() == Protocols.TCP ? 1 : 0) | flow.outerVlan() << OUTER_SHIFT | flow.innerVlan() << Short.SIZE;
    }

    @Override
    void read(ByteBuffer values, int at, Counts into) {
        into.clear();
        for (int cpu = 0; cpu < cpus; cpu++) {
            into.packets += values.getLong(at + cpu * CPU);
            into.bytes += values.getLong(at + cpu * CPU + Long.BYTES);
        }
    }
}
