// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps.internal;

import io.flowbypass.libbpf.MappedMemory;
import io.flowbypass.maps.Gate;
import io.flowbypass.maps.Mapping;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/** A gate that counts its readers in the low bits of one word; the high bit closes it. */
class ReaderGate implements Gate {
    private static final Logger LOG = System.getLogger(ReaderGate.class.getName());
    private static final long CLOSED = 1L << 62;
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final Duration PAUSE = Duration.ofMillis(1);

    private final AtomicLong readers = new AtomicLong();
    private final List<MappedMemory> memories = new ArrayList<>();
    private final Duration patience;

    ReaderGate() {
        this(PATIENCE);
    }

    ReaderGate(Duration patience) {
        this.patience = patience;
    }

    @Override
    public boolean enter() {
        if ((readers.getAndIncrement() & CLOSED) == 0) {
            return true;
        }
        readers.getAndDecrement();
        return false;
    }

    @Override
    public void exit() {
        readers.getAndDecrement();
    }

    /** Takes ownership of memory, which is unmapped at once when the gate is closed. */
    Mapping guard(MappedMemory memory) {
        synchronized (memories) {
            if (isClosed()) {
                memory.close();
                throw new IllegalStateException("the gate is closed");
            }
            memories.add(memory);
            return new Mapping(memory.buffer());
        }
    }

    boolean isClosed() {
        return (readers.get() & CLOSED) != 0;
    }

    /** Refuses new readers; false when that was so before. Whoever does this unmaps, by {@link #close()} or later. */
    boolean refuse() {
        return (readers.getAndUpdate(count -> count | CLOSED) & CLOSED) == 0;
    }

    /** Unmaps what is behind a gate that refuses, unless somebody is inside; may be repeated. */
    void unmapUnused() {
        synchronized (memories) {
            if (readers.get() == CLOSED) {
                memories.forEach(MappedMemory::close);
                memories.clear();
            }
        }
    }

    @Override
    public void close() {
        if (!refuse()) {
            return;
        }
        awaitReaders();
        unmapUnused();
        synchronized (memories) {
            if (!memories.isEmpty()) {
                LOG.log(Level.WARNING, "After {0} ms a reader is still inside: its {1} mappings stay in memory until"
                        + " this process ends.", patience.toMillis(), memories.size());
                memories.clear();
            }
        }
    }

    private void awaitReaders() {
        long deadline = System.nanoTime() + patience.toNanos();
        boolean interrupted = false;
        while (readers.get() != CLOSED && deadline - System.nanoTime() > 0) {
            LockSupport.parkNanos(PAUSE.toNanos());
            interrupted |= Thread.interrupted();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
