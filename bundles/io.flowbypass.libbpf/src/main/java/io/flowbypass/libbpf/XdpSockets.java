// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.libbpf;

import com.sun.jna.Memory;
import io.flowbypass.libbpf.internal.Errno;
import io.flowbypass.libbpf.internal.Libc;
import java.nio.ByteBuffer;
import java.util.Set;
import java.util.TreeSet;

/** The AF_XDP sockets of this process's network namespace, as {@code ss --xdp} shows them. Thread-safe. */
public final class XdpSockets {
    private static final int NETLINK_SOCK_DIAG = 4;
    private static final int SOCK_DIAG_BY_FAMILY = 20;
    private static final int AF_XDP = 44;
    /** {@code struct nlmsghdr} of linux/netlink.h: length, type (at 4), flags (at 6), sequence, port. */
    private static final int HEADER_SIZE = 16;
    private static final int TYPE = 4;
    private static final int FLAGS = 6;
    private static final int NLMSG_ERROR = 2;
    private static final int NLMSG_DONE = 3;
    private static final int NLM_F_REQUEST_DUMP = 0x1 | 0x300;
    /** {@code struct xdp_diag_req} of linux/xdp_diag.h: family, protocol, padding, inode, what to show (at 8), cookie. */
    private static final int REQUEST_SIZE = 20;
    private static final int SHOW = 8;
    private static final int XDP_SHOW_INFO = 1;
    /** {@code struct xdp_diag_msg}, before attributes of a length, a type (at 2) and a value (at 4). */
    private static final int MESSAGE_SIZE = 16;
    private static final int ATTRIBUTE_TYPE = 2;
    private static final int ATTRIBUTE_VALUE = 4;
    /** {@code struct xdp_diag_info}: index of the interface, queue. */
    private static final int XDP_DIAG_INFO = 1;
    private static final int ANSWER_SIZE = 32 * 1024;

    private XdpSockets() {
    }

    /**
     * The receive queues of an interface that AF_XDP sockets are bound to, in order. None also where the kernel cannot
     * tell (built without CONFIG_XDP_SOCKETS_DIAG).
     *
     * @throws BpfException when the kernel refuses another thing than that
     */
    public static Set<Integer> queues(int interfaceIndex) {
        String operation = "asking for the AF_XDP sockets of interface " + interfaceIndex;
        int opened = Libc.get().socket(Libc.AF_NETLINK, Libc.SOCK_DGRAM_CLOEXEC, NETLINK_SOCK_DIAG);
        if (opened < 0) {
            throw Errno.last(operation);
        }
        Set<Integer> queues = new TreeSet<>();
        try (Descriptor socket = new Descriptor(opened); Memory buffer = new Memory(ANSWER_SIZE)) {
            buffer.clear();
            buffer.setInt(0, HEADER_SIZE + REQUEST_SIZE);
            buffer.setShort(TYPE, (short) SOCK_DIAG_BY_FAMILY);
            buffer.setShort(FLAGS, (short) NLM_F_REQUEST_DUMP);
            buffer.setByte(HEADER_SIZE, (byte) AF_XDP);
            buffer.setInt(HEADER_SIZE + SHOW, XDP_SHOW_INFO);
            long length = Libc.get().send(socket.number(), buffer, HEADER_SIZE + REQUEST_SIZE, 0);
            do {
                length = length < 0 ? length : Libc.get().recv(socket.number(), buffer, ANSWER_SIZE, 0);
                if (length < 0) {
                    throw Errno.last(operation);
                }
            } while (read(buffer.getByteBuffer(0, length), interfaceIndex, queues, operation));
        }
        return queues;
    }

    /** Adds what one answer tells; whether another one follows. */
    static boolean read(ByteBuffer answer, int interfaceIndex, Set<Integer> queues, String operation) {
        for (int at = 0; at + HEADER_SIZE <= answer.limit(); at += aligned(answer.getInt(at))) {
            switch (answer.getShort(at + TYPE)) {
                case NLMSG_DONE:
                    return false;
                case NLMSG_ERROR:
                    int error = answer.getInt(at + HEADER_SIZE);
                    if (Errno.ENOENT.is(error)) {
                        return false;
                    }
                    throw Errno.exception(operation, error);
                default:
                    readSocket(answer, at, interfaceIndex, queues);
            }
        }
        return true;
    }

    private static void readSocket(ByteBuffer answer, int message, int interfaceIndex, Set<Integer> queues) {
        int end = message + answer.getInt(message);
        for (int at = message + HEADER_SIZE + MESSAGE_SIZE; at < end; at += aligned(answer.getShort(at))) {
            if (answer.getShort(at + ATTRIBUTE_TYPE) == XDP_DIAG_INFO
                    && answer.getInt(at + ATTRIBUTE_VALUE) == interfaceIndex) {
                queues.add(answer.getInt(at + ATTRIBUTE_VALUE + Integer.BYTES));
            }
        }
    }

    private static int aligned(int length) {
        return (length + 3) & ~3;
    }
}
