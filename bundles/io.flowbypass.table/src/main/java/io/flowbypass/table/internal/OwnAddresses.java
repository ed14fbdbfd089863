// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import io.flowbypass.flow.FlowKey;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.List;

/** The addresses of this machine, which are never cut. */
final class OwnAddresses {
    private OwnAddresses() {
    }

    /** Asks the kernel; each one as the source of a key. */
    static List<FlowKey> now() throws SocketException {
        return NetworkInterface.networkInterfaces().flatMap(NetworkInterface::inetAddresses).map(OwnAddresses::asKey)
                .distinct().toList();
    }

    private static FlowKey asKey(InetAddress address) {
        return FlowKey.of(0, address, 0, address, 0);
    }
}
