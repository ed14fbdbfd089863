// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp;

/**
 * One interface that is configured, or that an earlier run left attached.
 *
 * @param interfaceName its name
 * @param mode "native" or "generic" once attached, what was asked for before
 * @param programId kernel id of the attached program; 0 when not attached
 * @param programTag hexadecimal tag of the attached program; empty when not attached, or when it is not the one that is
 *        loaded here
 * @param attached whether XDP runs on it
 * @param problem in a sentence, why it does not, or why it does otherwise than configured; empty when all is well
 */
public record Attachment(String interfaceName, String mode, int programId, String programTag, boolean attached,
        String problem) {
}
