// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.classic;

import io.flowbypass.xdp.ClassicDialect;
import java.nio.file.Path;

/**
 * A table of another tool, as the last sweep found it.
 *
 * @param dialect whose
 * @param pin where it is pinned
 * @param mapId the kernel's id of the map
 * @param made whether Flowbypass made it, and not the tool
 * @param entries entries in it
 * @param capacity entries that it can hold
 * @param packets packets in the values of its entries
 */
public record ClassicTableState(ClassicDialect dialect, Path pin, int mapId, boolean made, int entries, long capacity,
        long packets) {
}
