// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp;

import java.util.Locale;

/**
 * A tool whose tables of flows XDP can use: BPF hash maps, pinned where that tool looks for them, and laid out as it reads
 * them.
 */
public enum ClassicDialect {
    /** libflowbypass: each direction is a key; a value per CPU with the time of the last packet. */
    LIBFLOWBYPASS,
    /** Suricata's XDP bypass: each direction is a key; a value per CPU, without a time. */
    SURICATA,
    /** Zeek's XDP shunter: both directions are one key; a value under a spin lock. And host pairs. */
    ZEEK;

    /** As it is written in configurations. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
