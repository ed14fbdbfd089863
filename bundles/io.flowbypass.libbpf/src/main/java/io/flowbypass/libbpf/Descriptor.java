// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.libbpf;

import io.flowbypass.libbpf.internal.Libc;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;

/**
 * An owned file descriptor: closed exactly once, and never under a call that uses it, whose number the kernel might have
 * given away by then. Thread-safe; no method waits.
 */
public final class Descriptor implements AutoCloseable {
    /** Set in {@link #uses} when it is closed; the bits below count the calls under way. */
    private static final long CLOSED = 1L << 62;

    private final int number;
    private final AtomicLong uses = new AtomicLong();

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
     * Keeps it open until {@link #release()}; what {@link #call} does, without an object.
     *
     * @return its number
     * @throws IllegalStateException when it is closed; nothing is to be released then
     */
    public int acquire() {
        if ((uses.getAndIncrement() & CLOSED) != 0) {
            release();
            throw new IllegalStateException("closed");
        }
        return number;
    }

    /** Undoes one {@link #acquire()}. */
    public void release() {
        if (uses.decrementAndGet() == CLOSED) {
            closeUnused();
        }
    }

    /**
     * The descriptor's number, for whoever can rule out that another thread closes it meanwhile.
     *
     * @throws IllegalStateException when it is closed
     */
    public int number() {
        if ((uses.get() & CLOSED) != 0) {
            throw new IllegalStateException("closed");
        }
        return number;
    }

    /**
     * Closes it: at once, or with the end of the last call that is under way; calls that begin from now on are refused. Does
     * nothing when it is closed already.
     */
    @Override
    public void close() {
        if (uses.getAndUpdate(now -> now | CLOSED) == 0) {
            closeUnused();
        }
    }

    /** Whoever finds nobody left closes it; one that was refused may find that too. */
    private void closeUnused() {
        if (uses.compareAndSet(CLOSED, CLOSED | CLOSED >> 1)) {
            Libc.get().close(number);
        }
    }
}
