// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp;

/**
 * One configured interface.
 *
 * @param interfaceName its name
 * @param mode "native" or "generic" once attached, what was asked for before
 * @param programId kernel id of the attached program; 0 when not attached
 * @param programTag hexadecimal tag of the attached program; empty when not attached
 * @param attached whether XDP runs on it
 * @param problem why it does not, in a sentence; empty when attached
 */
public record Attachment(String interfaceName, String mode, int programId, String programTag, boolean attached,
        String problem) {
}
