// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp;

/**
 * How often XDP gave a verdict.
 *
 * @param packets packets
 * @param bytes their bytes, Ethernet header included, FCS not
 */
public record VerdictCounts(long packets, long bytes) {
}
