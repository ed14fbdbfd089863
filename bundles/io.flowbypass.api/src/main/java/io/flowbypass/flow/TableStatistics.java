// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

/**
 * A flow table in numbers.
 *
 * @param activeFlows flows that are bypassed now
 * @param closingFlows flows that were taken out and whose record is not taken yet
 * @param capacity flows that the table can hold
 * @param flowsAdded bypasses since this service started
 * @param flowsEnded records made since this service started
 * @param refusedBypasses bypasses refused because the table was full, since this service started
 * @param undeliveredRecords records that a listener lost because its queue was full, since this service started
 * @param bypassedPackets packets cut since the table was made; survives restarts
 * @param bypassedBytes bytes cut since the table was made; survives restarts
 * @param unaccountedPackets packets that XDP counted as cut and no flow's counter holds, or the reverse; 0 when all is
 *     well
 */
public record TableStatistics(int activeFlows, int closingFlows, int capacity, long flowsAdded, long flowsEnded,
        long refusedBypasses, long undeliveredRecords, long bypassedPackets, long bypassedBytes,
        long unaccountedPackets) {
}
