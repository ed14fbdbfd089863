// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp;

/** What XDP did with a packet, and why. The order is that of {@code enum fb_verdict} in {@code flowbypass.h}. */
public enum Verdict {
    /** Passed: the packet belongs to no bypassed flow. */
    PASSED_NO_FLOW,
    /** Passed: neither IPv4 nor IPv6, or more VLAN tags or extension headers than are followed (eight of each). */
    PASSED_OTHER,
    /** Passed: a fragment, the first one included. */
    PASSED_FRAGMENT,
    /** Passed: truncated or inconsistent headers. */
    PASSED_MALFORMED,
    /** Passed: the flow is bypassed, but the lease is over. */
    PASSED_LEASE,
    /** Passed: the flow is bypassed, but the data plane is paused. */
    PASSED_PAUSED,
    /** Passed: the flow is being taken out. */
    PASSED_CLOSING,
    /** Passed: the flow began anew with a SYN; its bypass is over. */
    PASSED_REOPENED,
    /** Passed: a FIN or RST of a bypassed flow, for the monitor; the first 16 of each direction. */
    PASSED_TCP_CONTROL,
    /** Passed: an ICMP error or neighbour discovery, whatever is bypassed. */
    PASSED_ICMP_ERROR,
    /** Cut: dropped. */
    CUT_DROPPED,
    /** Cut: redirected to another interface. */
    CUT_REDIRECTED,
    /** Cut: counted, and passed after all. */
    CUT_COUNTED,
    /** Cut: dropped, and counted in the table of another tool. */
    CUT_CLASSIC,
    /** Passed because of an inconsistency in the table; should be 0. */
    ERROR,
    /** Passed because the port that a flow is redirected to is not there. */
    ERROR_REDIRECT;

    /** Whether a packet with this verdict counts as cut. */
    public boolean isCut() {
        return this == CUT_CLASSIC || isInTable();
    }

    /** Whether a packet with this verdict is counted in the native table. */
    public boolean isInTable() {
        return this == CUT_DROPPED || this == CUT_REDIRECTED || this == CUT_COUNTED;
    }

    /** Whether a packet with this verdict could not be read as one of a flow. */
    public boolean isUnparsed() {
        return this == PASSED_OTHER || this == PASSED_FRAGMENT || this == PASSED_MALFORMED;
    }
}
