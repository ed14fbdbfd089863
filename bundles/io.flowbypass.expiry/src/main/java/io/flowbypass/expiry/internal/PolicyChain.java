// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.expiry.internal;

import io.flowbypass.flow.Decision;
import io.flowbypass.flow.FlowTest;
import io.flowbypass.flow.FlowView;
import io.flowbypass.policy.Sweep;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Several policies as one test, for one run on one thread: the first that does not keep a flow ends it, and the
 * decision's detail names it. A policy that throws or answers null keeps the flow and is not asked again in this run.
 */
final class PolicyChain implements FlowTest {
    /** A policy that makes more decisions than this in one run gets them wrapped anew each time. */
    private static final int MAX_NAMED = 256;

    private final PolicyCalls calls;
    private final Link[] links;
    private final Map<InstalledPolicy, String> failures = new LinkedHashMap<>();

    private static final class Link {
        final InstalledPolicy policy;
        /** Null until the policy ends a flow: most runs end none. */
        Map<Decision, Decision> named;
        /** Null once the policy failed. */
        FlowTest test;

        Link(InstalledPolicy policy) {
            this.policy = policy;
        }

        Decision named(Decision decision) {
            if (named == null) {
                named = new IdentityHashMap<>();
            }
            Decision known = named.get(decision);
            if (known == null) {
                String detail = decision.detail().isEmpty() ? policy.name() : policy.name() + ": " + decision.detail();
                known = Decision.end(decision.reason(), detail);
                if (named.size() < MAX_NAMED) {
                    named.put(decision, known);
                }
            }
            return known;
        }
    }

    /**
     * Begins a run with each policy.
     *
     * @param policies in order; none keeps every flow
     */
    PolicyChain(List<InstalledPolicy> policies, Sweep sweep, PolicyCalls calls) {
        this.calls = calls;
        links = policies.stream().map(Link::new).toArray(Link[]::new);
        for (Link link : links) {
            begin(link, sweep);
        }
    }

    private void begin(Link link, Sweep sweep) {
        FlowTest test = null;
        Throwable thrown = null;
        calls.enter(link.policy);
        try {
            test = link.policy.service().begin(sweep);
        } catch (Throwable t) { // a policy is foreign code: a LinkageError must not end the sweep either
            thrown = t;
        }
        calls.leave();
        link.test = test;
        if (test == null) {
            failed(link, "begin()", thrown);
        }
    }

    @Override
    public Decision decide(FlowView flow) {
        for (Link link : links) {
            FlowTest test = link.test;
            if (test == null) {
                continue;
            }
            Decision decision = null;
            Throwable thrown = null;
            calls.enter(link.policy);
            try {
                decision = test.decide(flow);
            } catch (Throwable t) { // as above
                thrown = t;
            }
            calls.leave();
            if (decision == null) {
                link.test = null;
                failed(link, "decide()", thrown);
            } else if (decision.ends()) {
                return link.named(decision);
            }
        }
        return Decision.KEEP;
    }

    private void failed(Link link, String call, Throwable thrown) {
        failures.put(link.policy, call + (thrown == null ? " returned null" : " threw " + thrown));
    }

    /** The policies that failed in this run, with what happened. */
    Map<InstalledPolicy, String> failures() {
        return failures;
    }
}
