// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.libbpf;

import com.sun.jna.Memory;
import io.flowbypass.libbpf.internal.Errno;
import io.flowbypass.libbpf.internal.Libc;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/** What else the operating system must be asked and Java does not know. Thread-safe. */
public final class Host {
    private static final long BPF_FS_MAGIC = 0xcafe4a11L;
    private static final int STATFS_SIZE = 256;

    private Host() {
    }

    /** The index of a network interface of this process's network namespace; empty when there is none of that name. */
    public static OptionalInt interfaceIndex(String name) {
        int index = Libc.get().if_nametoindex(name);
        return index == 0 ? OptionalInt.empty() : OptionalInt.of(index);
    }

    /**
     * Whether a directory lies on a bpf file system.
     *
     * @throws BpfException when there is no such directory
     */
    public static boolean isOnBpfFileSystem(Path directory) {
        try (Memory result = new Memory(STATFS_SIZE)) {
            if (Libc.get().statfs(directory.toString(), result) != 0) {
                throw Errno.last("asking for the file system of " + directory);
            }
            return (result.getLong(0) & 0xffffffffL) == BPF_FS_MAGIC;
        }
    }

    /**
     * Locks a directory against all others that lock it this way, until the descriptor is closed or the process ends.
     *
     * @return empty when another one holds the lock
     * @throws BpfException when the directory cannot be opened
     */
    public static Optional<Descriptor> lock(Path directory) {
        int opened = Libc.get().open(directory.toString(), Libc.O_RDONLY_CLOEXEC);
        if (opened < 0) {
            throw Errno.last("opening " + directory);
        }
        Descriptor descriptor = new Descriptor(opened);
        if (Libc.get().flock(opened, Libc.LOCK_EX_NB) == 0) {
            return Optional.of(descriptor);
        }
        BpfException refused = Errno.last("locking " + directory);
        descriptor.close();
        if (refused.is("EAGAIN")) {
            return Optional.empty();
        }
        throw refused;
    }
}
