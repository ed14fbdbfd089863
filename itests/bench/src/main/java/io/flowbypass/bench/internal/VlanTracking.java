// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.libbpf.NativeBuffer;

/**
 * Switches the tracking of VLANs, in the program's own memory: elsewhere that needs a restart, since a table's keys depend on it.
 * A heartbeat that comes in between may be lost, which the lease outlives. For one thread.
 */
final class VlanTracking implements AutoCloseable {
    // struct fb_config
    private static final int CONFIG = 256;
    private static final int VLAN_MASK = 40;
    private static final int BOTH = 0x0fff0fff;
    private static final NativeBuffer KEY = NativeBuffer.allocate(Integer.BYTES);

    private final Descriptor config;

    VlanTracking(Run run) {
        config = run.pinned("config");
    }

    void set(boolean on) {
        NativeBuffer value = NativeBuffer.allocate(CONFIG);
        Bpf.lookup(config.number(), KEY, 0, value, 0, 0);
        value.bytes().putInt(VLAN_MASK, on ? BOTH : 0);
        Bpf.update(config.number(), KEY, 0, value, 0, Bpf.ANY);
    }

    /** Switches it off. */
    @Override
    public void close() {
        set(false);
        config.close();
    }
}
