// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

/**
 * System calls on maps.
 *
 * @param calls calls made
 * @param errors calls that failed with anything but "not there"
 */
public record CallCounts(long calls, long errors) {
}
