// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

import org.osgi.annotation.versioning.ProviderType;

/**
 * One bypassed flow as a {@link FlowTest} sees it, read from memory that the kernel writes.
 *
 * <p>The same object shows one flow after the other: it is valid inside {@code decide()} on the thread of
 * that call; any later or foreign use throws {@link IllegalStateException}.
 */
@ProviderType
public interface FlowView {
    /** IANA protocol number: 6 is TCP, 17 is UDP. */
    int protocol();

    /** Nanoseconds since the last packet in either direction, or since the bypass where there was none; at least 0. */
    long idleNanos();

    /**
     * By how many nanoseconds {@link #idleNanos()} may be too short: 0 where the kernel notes the time of each packet; the time
     * between two sweeps where it does not, as in Suricata's tables; {@link Long#MAX_VALUE} where only one sweep saw the flow.
     */
    long idleErrorNanos();

    /**
     * Nanoseconds since the bypass; at least 0. In a table of another tool, which does not
     * say when it was put in, at least that.
     */
    long ageNanos();

    /** Packets cut in that direction since the bypass. */
    long packets(Direction direction);

    /** Bytes cut in that direction since the bypass, Ethernet header included, FCS not. */
    long bytes(Direction direction);

    /** Bitwise OR of the TCP flags of all packets in that direction since the bypass (RFC 9293: FIN 1, SYN 2, RST 4, ...). */
    int tcpFlags(Direction direction);

    /**
     * The flow's own idle timeout.
     *
     * @param otherwise what to return for a flow that was given none, in nanoseconds
     */
    long idleTimeoutNanos(long otherwise);

    /** The flow's key in the asker's direction. Allocates: call it for the few flows that need it. */
    FlowKey key();
}
