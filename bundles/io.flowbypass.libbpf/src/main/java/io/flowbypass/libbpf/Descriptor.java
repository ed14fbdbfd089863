// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.libbpf;

import io.flowbypass.libbpf.internal.Libc;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;

/**
 * An owned file descriptor: closed exactly once, and never under a call that uses it, whose number the kernel might have
 * given away by then. Thread-safe.
 */
public final class Descriptor implements AutoCloseable {
    private final int number;
    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private boolean closed;

    /** Takes ownership of an open descriptor. */
    Descriptor(int number) {
        this.number = number;
    }

    /**
     * Makes a call with the descriptor, which stays open until the call returns.
     *
     * @throws IllegalStateException when it is closed
     */
    public <T> T call(IntFunction<T> call) {
        int acquired = acquire();
        try {
            return call.apply(acquired);
        } finally {
            release();
        }
    }

    /**
     * Keeps it open until {@link #release()}, which this thread has to call; what {@link #call} does, without an object.
     *
     * @return its number
     * @throws IllegalStateException when it is closed; nothing is to be released then
     */
    public int acquire() {
        lock.readLock().lock();
        if (closed) {
            lock.readLock().unlock();
            throw new IllegalStateException("closed");
        }
        return number;
    }

    /** Undoes one {@link #acquire()}. */
    public void release() {
        lock.readLock().unlock();
    }

    /**
     * Makes a call that gives nothing back with the descriptor, which stays open until the call returns.
     *
     * @throws IllegalStateException when it is closed
     */
    public void run(IntConsumer call) {
        call(descriptor -> {
            call.accept(descriptor);
            return null;
        });
    }

    /**
     * The descriptor's number, for whoever can rule out that another thread closes it meanwhile.
     *
     * @throws IllegalStateException when it is closed
     */
    public int number() {
        acquire();
        release();
        return number;
    }

    /** Waits for the calls under way, then closes it; does nothing when it is closed already. */
    @Override
    public void close() {
        lock.writeLock().lock();
        try {
            if (!closed) {
                closed = true;
                Libc.get().close(number);
            }
        } finally {
            lock.writeLock().unlock();
        }
    }
}
