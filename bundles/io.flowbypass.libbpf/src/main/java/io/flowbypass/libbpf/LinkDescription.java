// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.libbpf;

/**
 * An XDP link.
 *
 * @param id the kernel's id
 * @param programId id of the program that it runs
 * @param interfaceIndex index of its interface in that interface's network namespace; 0 once the interface is gone
 */
public record LinkDescription(int id, int programId, int interfaceIndex) {
}
