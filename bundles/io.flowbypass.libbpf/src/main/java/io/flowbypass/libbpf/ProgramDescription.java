// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.libbpf;

/**
 * A loaded program.
 *
 * @param id the kernel's id
 * @param tag digest of its instructions, 16 hexadecimal digits
 * @param name its name, at most 15 bytes
 */
public record ProgramDescription(int id, String tag, String name) {
}
