// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.libbpf.internal;

import com.sun.jna.Native;
import com.sun.jna.Pointer;

/** The calls of libc that are needed; names, arguments and results are libc's. Errors are in {@link Native#getLastError()}. */
public final class Libc {
    /** {@code O_RDONLY | O_CLOEXEC}. */
    public static final int O_RDONLY_CLOEXEC = 02000000;
    /** {@code AF_INET}. */
    public static final int AF_INET = 2;
    /** {@code AF_NETLINK}. */
    public static final int AF_NETLINK = 16;
    /** {@code SOCK_DGRAM | SOCK_CLOEXEC}. */
    public static final int SOCK_DGRAM_CLOEXEC = 2 | 02000000;
    /** {@code LOCK_EX | LOCK_NB}. */
    public static final int LOCK_EX_NB = 2 | 4;
    /** {@code PROT_READ}. */
    public static final int PROT_READ = 1;
    /** {@code PROT_READ | PROT_WRITE}. */
    public static final int PROT_READ_WRITE = 1 | 2;
    /** {@code MAP_SHARED}. */
    public static final int MAP_SHARED = 1;
    /** {@code MAP_FAILED}. */
    public static final long MAP_FAILED = -1;

    private static final Libc INSTANCE = new Libc();

    static {
        Native.register(Libc.class, "c");
    }

    private Libc() {
    }

    /** The library. */
    public static Libc get() {
        return INSTANCE;
    }

    public native int open(String path, int flags);

    public native int close(int fd);

    public native int flock(int fd, int operation);

    public native int socket(int domain, int type, int protocol);

    public native int ioctl(int fd, long request, Pointer argument);

    public native long send(int fd, Pointer bytes, long length, int flags);

    public native long recv(int fd, Pointer bytes, long length, int flags);

    public native int statfs(String path, Pointer result);

    public native int if_nametoindex(String name);

    public native long mmap(Pointer address, long length, int protection, int flags, int fd, long offset);

    public native int munmap(Pointer address, long length);

    public native int getpagesize();

    public native int poll(Pointer descriptors, long count, int milliseconds);

    public native int vsnprintf(Pointer buffer, long size, Pointer format, Pointer arguments);
}
