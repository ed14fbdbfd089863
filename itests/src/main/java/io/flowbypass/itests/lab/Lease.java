// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

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
        Memory.of("config", config -> {
            long lease = config.getLong(CONFIG_LEASE);
            config.setLong(CONFIG_LEASE, OVER_NANOS);
            try {
                what.run();
            } finally {
                config.setLong(CONFIG_LEASE, lease);
            }
        });
    }
}
