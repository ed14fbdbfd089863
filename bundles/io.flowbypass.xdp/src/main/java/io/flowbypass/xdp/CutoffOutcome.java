// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp;

/**
 * How an attempt of the kernel's to cut a flow off by itself ended. The order is that of {@code enum fb_cutoff} in
 * {@code flowbypass.h}.
 */
public enum CutoffOutcome {
    /** The flow is bypassed. */
    DONE,
    /** Not cut: the never-cut list names it, or it is a tunnel. */
    NEVER_CUT,
    /** Not cut: both its buckets of the table were full; tried again with its next packet. */
    TABLE_FULL,
    /** A flow that was still running was forgotten for another one; it is counted anew. */
    TRACKER_FULL,
    /** Not cut: no free slot was lent; tried again with its next packet. */
    RESERVE_DRY,
    /** Not cut, or a packet not counted: another CPU or user space was at the same flow or line; tried again. */
    CONTENDED
}
