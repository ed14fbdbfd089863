// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.expiry.internal;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/**
 * The one thread that calls policies: sweeps at an interval and answers questions between two sweeps. Given up for
 * another one when a policy does not return. Thread-safe.
 */
final class Worker {
    private static final Logger LOG = System.getLogger(Worker.class.getName());
    private static final long ANSWER_SECONDS = 5;

    private final ScheduledThreadPoolExecutor thread;
    private final Function<PolicyCalls, ?> sweep;
    private Future<?> sweeping;
    private volatile PolicyCalls calls = new PolicyCalls();

    /** What the watchdog saw last; its thread only. */
    private PolicyCalls watched;
    private long watchedCount;
    private int looks;

    /**
     * A new thread.
     *
     * @param number tells it from its predecessors
     * @param sweep what to do at the interval
     */
    Worker(int number, Function<PolicyCalls, ?> sweep) {
        this.sweep = sweep;
        thread = new ScheduledThreadPoolExecutor(1, run -> Notices.daemon(run, "flowbypass-expiry-" + number));
        thread.setRemoveOnCancelPolicy(true);
    }

    /** Sweeps at this interval from now on. */
    synchronized void every(int millis) {
        if (sweeping != null) {
            sweeping.cancel(false);
        }
        sweeping = thread.scheduleAtFixedRate(this::sweepAndLog, 0, millis, TimeUnit.MILLISECONDS);
    }

    private void sweepAndLog() {
        try {
            run(sweep);
        } catch (PolicyCalls.AbandonedException e) {
            LOG.log(Level.DEBUG, "an abandoned sweep came back and ended");
        } catch (RuntimeException | Error e) { // let go, it would end the schedule in silence
            LOG.log(Level.ERROR, "a sweep failed; the next one tries again. Please report this", e);
        }
    }

    private <T> T run(Function<PolicyCalls, T> task) {
        PolicyCalls fresh = new PolicyCalls();
        calls = fresh;
        if (thread.isShutdown()) {
            throw new PolicyCalls.AbandonedException();
        }
        return task.apply(fresh);
    }

    /**
     * Runs a task between two sweeps.
     *
     * @param what names the task in errors
     * @throws IllegalStateException when there is no answer after 5 s
     */
    <T> T call(String what, Function<PolicyCalls, T> task) {
        try {
            return thread.submit(() -> run(task)).get(ANSWER_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(what + " failed", e);
        } catch (TimeoutException e) {
            throw new IllegalStateException(what + " is not done after " + ANSWER_SECONDS
                    + " s; it goes on, look at the log for a hanging policy", e);
        } catch (CancellationException | RejectedExecutionException e) {
            throw new IllegalStateException(what + " was given up: a policy hangs, or expiry is stopping; try again", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting: " + what + " goes on", e);
        }
    }

    /** For the watchdog: the policy that was in one and the same call at this many looks after the first, or null. */
    InstalledPolicy stuckIn(int limit) {
        PolicyCalls current = calls;
        long count = current.count();
        InstalledPolicy inside = current.inside();
        if (inside == null || current != watched || count != watchedCount) {
            watched = current;
            watchedCount = count;
            looks = 0;
            return null;
        }
        looks++;
        return looks >= limit ? inside : null;
    }

    /** Gives the thread up: interrupts it, and what it runs ends at its next call or return. Does not wait. */
    void abandon() {
        for (Runnable waiting : thread.shutdownNow()) {
            if (waiting instanceof Future<?> future) {
                future.cancel(false);
            }
        }
        calls.abandon();
    }

    /** As {@link #abandon()}, and waits a moment for it. */
    void stop() {
        abandon();
        try {
            if (!thread.awaitTermination(1, TimeUnit.SECONDS)) {
                LOG.log(Level.WARNING, "expiry stops while a run has not ended; it is in policy {0}", calls.inside());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
