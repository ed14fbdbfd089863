// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.libbpf;

/**
 * The XDP programs of an interface.
 *
 * @param nativeId id of the one that runs in the driver; 0 for none
 * @param genericId id of the one that runs behind the driver; 0 for none
 */
public record XdpPrograms(int nativeId, int genericId) {
}
