// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import java.util.concurrent.TimeUnit;

/** Rates from counters that are read now and then: over the time since the sample before, at least one second. */
final class Rates {
    private static final double NANOS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);

    private boolean sampled;
    private long packets;
    private long bytes;
    private long sampledAt;
    private double packetsPerSecond;
    private double bytesPerSecond;

    /** Takes a reading of the counters; one within a second of the sample before changes nothing. */
    void add(long packetsNow, long bytesNow, long nowNanos) {
        double seconds = (nowNanos - sampledAt) / NANOS_PER_SECOND;
        if (sampled && seconds < 1) {
            return;
        }
        if (sampled) {
            packetsPerSecond = (packetsNow - packets) / seconds;
            bytesPerSecond = (bytesNow - bytes) / seconds;
        }
        sampled = true;
        packets = packetsNow;
        bytes = bytesNow;
        sampledAt = nowNanos;
    }

    /** Packets per second; 0 before the second sample. */
    double packetsPerSecond() {
        return packetsPerSecond;
    }

    /** Bytes per second; 0 before the second sample. */
    double bytesPerSecond() {
        return bytesPerSecond;
    }
}
