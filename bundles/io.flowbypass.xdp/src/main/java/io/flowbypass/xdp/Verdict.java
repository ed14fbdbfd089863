// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp;

/** What XDP did with a packet, and why. The order is that of {@code enum fb_verdict} in {@code flowbypass.h}. */
public enum Verdict {
    /** Passed: the packet belongs to no bypassed flow. */
    PASSED_NO_FLOW,
    /** Passed: neither IPv4 nor IPv6, or a protocol without ports. */
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
    /** Cut: dropped. */
    CUT_DROPPED,
    /** Passed because of an inconsistency in the table; should be 0. */
    ERROR;

    /** Whether a packet with this verdict counts as cut. */
    public boolean isCut() {
        return this == CUT_DROPPED;
    }
}
