// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management;

import javax.management.ConstructorParameters;

/** How often XDP gave a verdict, as {@link XdpMXBean#getVerdicts()} shows it. Immutable. */
public final class XdpVerdict {
    private final String verdict;
    private final long packets;
    private final long bytes;

    /** All of it. */
    @ConstructorParameters({"verdict", "packets", "bytes"})
    public XdpVerdict(String verdict, long packets, long bytes) {
        this.verdict = verdict;
        this.packets = packets;
        this.bytes = bytes;
    }

    /** The verdict, such as CUT_DROPPED. */
    public String getVerdict() {
        return verdict;
    }

    /** Packets. */
    public long getPackets() {
        return packets;
    }

    /** Their bytes, Ethernet header included, FCS not. */
    public long getBytes() {
        return bytes;
    }
}
