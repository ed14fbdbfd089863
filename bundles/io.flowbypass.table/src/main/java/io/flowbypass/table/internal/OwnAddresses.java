// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import io.flowbypass.flow.FlowKey;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;

/** The addresses of this machine, which are never cut. Reads from any thread see the last refresh. */
final class OwnAddresses {
    /** Each address as the source of a key, where it is kept as two words. */
    private volatile FlowKey[] own = {};

    /** Asks the kernel. */
    void refresh() throws SocketException {
        own = NetworkInterface.networkInterfaces().flatMap(NetworkInterface::inetAddresses).map(OwnAddresses::asKey)
                .toArray(FlowKey[]::new);
    }

    private static FlowKey asKey(InetAddress address) {
        return FlowKey.of(0, address, 0, address, 0);
    }

    /**
     * Refuses a flow from or to this machine.
     *
     * @throws IllegalArgumentException naming the address
     */
    void refuse(FlowKey key) {
        for (FlowKey address : own) {
            if (address.isIpv6() == key.isIpv6()
                    && (address.sourceLow() == key.sourceLow() && address.sourceHigh() == key.sourceHigh()
                            || address.sourceLow() == key.destinationLow()
                                    && address.sourceHigh() == key.destinationHigh())) {
                throw new IllegalArgumentException(key + " has an address of this machine, "
                        + address.source().getHostAddress() + ": its own traffic is never cut");
            }
        }
    }
}
