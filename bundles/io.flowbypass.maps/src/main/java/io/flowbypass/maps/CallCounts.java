// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

/**
 * System calls of one {@linkplain MapOperation operation} on maps.
 *
 * @param calls calls made
 * @param errors calls that failed: "not there", "there already" and the end of a walk are no failures
 */
public record CallCounts(long calls, long errors) {
}
