// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.libbpf;

import java.util.Set;

/**
 * A loaded program.
 *
 * @param id the kernel's id
 * @param tag digest of its instructions, 16 hexadecimal digits
 * @param name its name, at most 15 bytes
 * @param maps the kernel's ids of the maps that its instructions name, its constants among them
 */
public record ProgramDescription(int id, String tag, String name, Set<Integer> maps) {
}
