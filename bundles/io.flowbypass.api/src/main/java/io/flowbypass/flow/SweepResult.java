// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

/**
 * What one sweep of one table did.
 *
 * @param scanned flows that were shown to the test
 * @param ended flows that were taken out
 * @param woken flows that the test ended, but that received a packet meanwhile and stayed
 * @param complete false when the budget ran out first
 */
public record SweepResult(int scanned, int ended, int woken, boolean complete) {
}
