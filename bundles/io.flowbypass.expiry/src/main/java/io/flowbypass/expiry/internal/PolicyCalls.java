// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.expiry.internal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The calls into policies of one run: the worker thread says when it goes in and out, the watchdog samples where it is.
 *
 * <p>Going in and out costs three plain stores and one volatile load, no clock: a run has one pair for each flow and
 * policy.
 */
final class PolicyCalls {
    private static final VarHandle COUNT;
    private static final VarHandle INSIDE;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            COUNT = lookup.findVarHandle(PolicyCalls.class, "count", long.class);
            INSIDE = lookup.findVarHandle(PolicyCalls.class, "inside", InstalledPolicy.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private long count;
    private InstalledPolicy inside;
    private volatile boolean abandoned;

    /** Thrown on the worker thread once its run is abandoned, so that it does no more harm. */
    static final class AbandonedException extends IllegalStateException {
        private static final long serialVersionUID = 1L;

        AbandonedException() {
            super("this run was abandoned: a policy did not return in time, or expiry is stopping");
        }
    }

    /** The worker goes into a policy. */
    void enter(InstalledPolicy policy) {
        COUNT.setOpaque(this, count + 1);
        INSIDE.setOpaque(this, policy);
    }

    /** The worker is back from a policy. */
    void leave() {
        INSIDE.setOpaque(this, null);
        if (abandoned) {
            throw new AbandonedException();
        }
    }

    /** How often the worker went into a policy. */
    long count() {
        return (long) COUNT.getOpaque(this);
    }

    /** The policy that the worker is in, or null. */
    InstalledPolicy inside() {
        return (InstalledPolicy) INSIDE.getOpaque(this);
    }

    /** From now on {@link #leave()} throws. */
    void abandon() {
        abandoned = true;
    }

    boolean isAbandoned() {
        return abandoned;
    }
}
