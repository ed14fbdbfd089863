// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.control.internal;

/**
 * What askers may use up.
 *
 * @param connections at a time
 * @param cutsPerSecond of all askers of one origin
 * @param sharePercent of the table, for all askers of one origin
 */
record Limits(int connections, int cutsPerSecond, int sharePercent) {
}
