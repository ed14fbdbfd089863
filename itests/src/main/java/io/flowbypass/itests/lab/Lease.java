// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.Gate;
import io.flowbypass.maps.MapService;
import io.flowbypass.maps.Mapping;
import java.nio.file.Path;

/** The time that XDP goes on cutting without a sign of life, in the memory that it reads. */
public final class Lease {
    /** Offset of {@code bpf/flowbypass.h}. */
    private static final int CONFIG_LEASE = 8;
    /** Shorter than any time since the last heartbeat, however fresh that is. */
    private static final long OVER_NANOS = -3_600_000_000_000L;

    private Lease() {
    }

    /** Does something while the lease is over; then it is as before. */
    public static void over(Runnable what) {
        MapService maps = Services.waitFor(MapService.class);
        Gate gate = maps.newGate();
        if (!gate.enter()) {
            throw new IllegalStateException("a new gate is closed");
        }
        try (BpfMap config = maps.open(Path.of(Product.PIN_ROOT, "config"))) {
            Mapping memory = config.map(gate);
            long lease = memory.getLong(CONFIG_LEASE);
            memory.setLong(CONFIG_LEASE, OVER_NANOS);
            try {
                what.run();
            } finally {
                memory.setLong(CONFIG_LEASE, lease);
            }
        } finally {
            gate.exit();
            gate.close();
        }
    }
}
