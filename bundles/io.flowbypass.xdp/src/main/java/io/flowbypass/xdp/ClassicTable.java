// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp;

import io.flowbypass.maps.BpfMap;
import java.nio.file.Path;

/**
 * A table of another tool that XDP uses.
 *
 * @param dialect whose
 * @param content which of the tool's tables
 * @param pin where the tool finds it
 * @param made whether Flowbypass made it, and not the tool
 * @param map the map; owned by the data plane, and closed when another one takes its place
 */
public record ClassicTable(ClassicDialect dialect, Content content, Path pin, boolean made, BpfMap map) {
    /** What a table holds. */
    public enum Content {
        /** Flows over IPv4. */
        IPV4,
        /** Flows over IPv6. */
        IPV6,
        /** Flows over both. */
        FLOWS,
        /** Pairs of hosts, over both. */
        PAIRS
    }
}
