// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/** Threads that do something over and over, at full speed, until this is closed. What one of them throws fails the test. */
public final class Crowd implements AutoCloseable {
    private static final long LIMIT_SECONDS = 60;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<Future<?>> working = new ArrayList<>();
    private final long begun = System.nanoTime();
    private volatile boolean closed;

    /** Adds a thread, and returns when it has worked once. */
    public Crowd add(Runnable work) {
        AtomicLong rounds = new AtomicLong();
        Future<?> thread = threads.submit(() -> {
            while (!closed) {
                work.run();
                rounds.incrementAndGet();
            }
        });
        working.add(thread);
        Jmx.eventually(() -> rounds.get() > 0 || thread.isDone(), "a thread has worked once");
        return this;
    }

    /** Fails the test when a thread has ended, or they have worked for a minute: what it waits for does not come. */
    public void check() {
        if (working.stream().anyMatch(Future::isDone)) {
            close();
        }
        if (System.nanoTime() - begun > TimeUnit.SECONDS.toNanos(LIMIT_SECONDS)) {
            throw new AssertionError("the crowd has worked for a minute");
        }
    }

    @Override
    public void close() {
        closed = true;
        try {
            for (Future<?> thread : working) {
                thread.get(LIMIT_SECONDS, TimeUnit.SECONDS);
            }
        } catch (ExecutionException failed) {
            throw new AssertionError("a thread of the crowd failed", failed.getCause());
        } catch (TimeoutException | InterruptedException failed) {
            throw new AssertionError("a thread of the crowd does not end", failed);
        } finally {
            threads.shutdownNow();
        }
    }
}
