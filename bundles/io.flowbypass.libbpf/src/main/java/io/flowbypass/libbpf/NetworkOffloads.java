// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.libbpf;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import io.flowbypass.libbpf.internal.Errno;
import io.flowbypass.libbpf.internal.Libc;
import java.nio.charset.StandardCharsets;

/**
 * What a network interface does to packets before XDP or whoever captures sees them, as {@code ethtool -k} shows it.
 *
 * @param lro whether hardware or driver merge packets (large-receive-offload)
 * @param gro whether the kernel merges packets (generic-receive-offload): behind XDP in native mode, before it in generic
 * @param rxVlan whether the outermost 802.1Q tag is taken out of received packets (rx-vlan-offload)
 */
public record NetworkOffloads(boolean lro, boolean gro, boolean rxVlan) {
    private static final long SIOCETHTOOL = 0x8946;
    /** Commands and flags of linux/ethtool.h. */
    private static final int ETHTOOL_GFLAGS = 0x25;
    private static final int ETHTOOL_GGRO = 0x2b;
    private static final int ETH_FLAG_RXVLAN = 1 << 8;
    private static final int ETH_FLAG_LRO = 1 << 15;
    /** {@code struct ifreq}: a name and, for this call, a pointer to {@code struct ethtool_value}. */
    private static final int IFREQ_SIZE = 40;
    private static final int IFREQ_DATA = 16;
    private static final int VALUE_SIZE = 8;
    private static final int VALUE_DATA = 4;

    /**
     * Asks the kernel about an interface of this process's network namespace. What the interface's driver knows nothing
     * about is off.
     *
     * @throws BpfException when there is no such interface (ENODEV), or the kernel does not tell
     */
    public static NetworkOffloads of(String interfaceName) {
        String operation = "asking for the offloads of " + interfaceName;
        byte[] name = interfaceName.getBytes(StandardCharsets.UTF_8);
        if (name.length >= IFREQ_DATA) {
            throw new BpfException(operation, "ENODEV", "the name is longer than that of an interface can be");
        }
        int opened = Libc.get().socket(Libc.AF_INET, Libc.SOCK_DGRAM_CLOEXEC, 0);
        if (opened < 0) {
            throw Errno.last(operation);
        }
        try (Descriptor socket = new Descriptor(opened); Memory request = new Memory(IFREQ_SIZE);
                Memory value = new Memory(VALUE_SIZE)) {
            request.clear();
            request.write(0, name, 0, name.length);
            request.setPointer(IFREQ_DATA, value);
            int flags = ask(socket, request, value, ETHTOOL_GFLAGS, operation);
            int gro = ask(socket, request, value, ETHTOOL_GGRO, operation);
            return new NetworkOffloads((flags & ETH_FLAG_LRO) != 0, gro != 0, (flags & ETH_FLAG_RXVLAN) != 0);
        }
    }

    private static int ask(Descriptor socket, Memory request, Memory value, int command, String operation) {
        value.setInt(0, command);
        value.setInt(VALUE_DATA, 0);
        if (Libc.get().ioctl(socket.number(), SIOCETHTOOL, request) == 0) {
            return value.getInt(VALUE_DATA);
        }
        if (Errno.EOPNOTSUPP.is(-Native.getLastError())) {
            return 0;
        }
        throw Errno.last(operation);
    }
}
