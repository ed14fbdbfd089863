// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.libbpf.internal;

import com.sun.jna.Native;
import io.flowbypass.libbpf.BpfException;
import java.util.EnumSet;
import java.util.Set;

/** Linux error numbers: their names, and what they mean when the bpf system call gives them. */
public enum Errno {
    /** Not permitted. */
    EPERM(1, "a capability is missing, or a container's seccomp filter forbids it: run as root, or with CAP_BPF,"
            + " CAP_PERFMON and CAP_NET_ADMIN"),
    /** No such file, map, program, link or key. */
    ENOENT(2, "it does not exist"),
    /** Interrupted. */
    EINTR(4, "a signal interrupted the call: try again"),
    /** Argument list too long. */
    E2BIG(7, "the map is full, or the index lies beyond its end"),
    /** Bad descriptor. */
    EBADF(9, "this is not the kind of BPF object that the call needs"),
    /** Try again. */
    EAGAIN(11, "something else is in the way: try again"),
    /** Out of memory. */
    ENOMEM(12, "there is not enough memory, or the control group's limit is reached: raise that, or ask for a smaller"
            + " table"),
    /** Not permitted by file mode, a security module or the verifier. */
    EACCES(13, "the file's mode, a security module or the BPF verifier does not allow it"),
    /** Bad address. */
    EFAULT(14, "the kernel could not read or write the caller's memory"),
    /** In use. */
    EBUSY(16, "another one is there already, and in use"),
    /** Exists. */
    EEXIST(17, "there is one already"),
    /** No such device. */
    ENODEV(19, "there is no such network interface"),
    /** Not a directory. */
    ENOTDIR(20, "a part of the path is not a directory"),
    /** Invalid argument. */
    EINVAL(22, "the kernel does not accept these arguments; it may be too old for them"),
    /** Too many open files in the system. */
    ENFILE(23, "the system has too many open files"),
    /** Too many open files. */
    EMFILE(24, "this process has too many open files: raise its limit (ulimit -n)"),
    /** No space. */
    ENOSPC(28, "there is no room left"),
    /** Read-only file system. */
    EROFS(30, "the file system is mounted read-only"),
    /** Out of range. */
    ERANGE(34, "a number is out of range"),
    /** Deadlock. */
    EDEADLK(35, "the map is locked by the code that this call interrupted: try again"),
    /** Not supported. */
    EOPNOTSUPP(95, "the kernel or the network driver does not support it"),
    /** Timed out. */
    ETIMEDOUT(110, "a lock of the map was held for too long: try again"),
    /** Not supported by the kernel. */
    ENOTSUPP(524, "the kernel or the network driver does not support it");

    private static final Set<Errno> TRANSIENT = EnumSet.of(EINTR, EAGAIN, EBUSY, EDEADLK, ETIMEDOUT);

    private final int number;
    private final String advice;

    Errno(int number, String advice) {
        this.number = number;
        this.advice = advice;
    }

    /** Whether a negative result means this error. */
    public boolean is(int result) {
        return result == -number;
    }

    /** Whether a negative result says that such a call cannot be made at all, whatever it is about. */
    public static boolean refusesTheCallItself(int result) {
        return EPERM.is(result) || EBADF.is(result) || EINVAL.is(result) || EOPNOTSUPP.is(result) || ENOTSUPP.is(result);
    }

    /**
     * Whether a negative result says that the same call may succeed later, and has done nothing yet: it was interrupted, or a
     * map's lock could not be had. Linux 6.15 waits for that for 250 ms ({@code RES_DEF_TIMEOUT}), and in a virtual machine
     * the CPU of who holds it may stand still for longer.
     */
    public static boolean isTransient(int result) {
        return result < 0 && TRANSIENT.stream().anyMatch(errno -> errno.is(result));
    }

    /** The same of an error's name. */
    public static boolean isTransient(String name) {
        return TRANSIENT.stream().anyMatch(errno -> errno.name().equals(name));
    }

    /** The exception for the error that the last call of libc, or of libbpf for a pointer, left in this thread. */
    public static BpfException last(String operation) {
        return exception(operation, -Native.getLastError());
    }

    /** The exception for a negative result. */
    public static BpfException exception(String operation, int result) {
        for (Errno errno : values()) {
            if (errno.is(result)) {
                return new BpfException(operation, errno.name(), errno.advice);
            }
        }
        return new BpfException(operation, "error " + -result, "see errno(3) for its meaning");
    }
}
