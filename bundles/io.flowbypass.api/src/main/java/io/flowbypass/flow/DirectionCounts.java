// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

/**
 * What was cut of one direction of a flow.
 *
 * @param packets packets as XDP saw them
 * @param bytes their bytes, Ethernet header included, FCS not
 * @param tcpFlags bitwise OR of their TCP flags; 0 for other protocols
 */
public record DirectionCounts(long packets, long bytes, int tcpFlags) {
}
