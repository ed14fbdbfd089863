// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.expiry.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.flow.Decision;
import io.flowbypass.flow.EndReason;
import io.flowbypass.policy.ExpiryPolicy;
import java.util.List;
import org.junit.jupiter.api.Test;

class PolicyChainTest {
    private static final Decision SILENT = Decision.end(EndReason.IDLE, "");
    private static final Decision BIG = Decision.end(EndReason.LIFETIME, "over 1 GiB");

    private final PolicyCalls calls = new PolicyCalls();
    private long nextId = 1;

    @Test
    void keepsEveryFlowWithoutAPolicy() {
        assertThat(chain().decide(null)).isSameAs(Decision.KEEP);
    }

    @Test
    void endsAFlowByTheFirstPolicyThatDoesNotKeepItAndNamesThatPolicy() {
        PolicyChain chain = chain(policy("keeper", sweep -> flow -> Decision.KEEP),
                policy("big", sweep -> flow -> BIG), policy("idle", sweep -> flow -> SILENT));

        Decision decision = chain.decide(null);

        assertThat(decision.reason()).isEqualTo(EndReason.LIFETIME);
        assertThat(decision.detail()).isEqualTo("big: over 1 GiB");
    }

    @Test
    void namesOnlyThePolicyWhereItGivesNoDetail() {
        assertThat(chain(policy("idle", sweep -> flow -> SILENT)).decide(null).detail()).isEqualTo("idle");
    }

    @Test
    void wrapsADecisionOnceAndNotForEachFlow() {
        PolicyChain chain = chain(policy("idle", sweep -> flow -> SILENT));

        assertThat(chain.decide(null)).isSameAs(chain.decide(null));
    }

    @Test
    void keepsTheFlowAndAsksThePolicyNoMoreAfterItThrew() {
        int[] asked = {0};
        InstalledPolicy thrower = policy("thrower", sweep -> flow -> {
            asked[0]++;
            throw new NoClassDefFoundError("gone");
        });
        PolicyChain chain = chain(thrower);

        assertThat(chain.decide(null)).isSameAs(Decision.KEEP);
        assertThat(chain.decide(null)).isSameAs(Decision.KEEP);
        assertThat(asked[0]).isEqualTo(1);
        assertThat(chain.failures()).hasEntrySatisfying(thrower, what -> assertThat(what)
                .contains("decide() threw").contains("NoClassDefFoundError: gone"));
    }

    @Test
    void goesOnToTheNextPolicyWhereOneAnswersNull() {
        InstalledPolicy mute = policy("mute", sweep -> flow -> null);
        PolicyChain chain = chain(mute, policy("idle", sweep -> flow -> SILENT));

        assertThat(chain.decide(null).detail()).isEqualTo("idle");
        assertThat(chain.failures()).containsEntry(mute, "decide() returned null");
    }

    @Test
    void leavesOutAPolicyWhoseBeginFails() {
        InstalledPolicy thrower = policy("thrower", sweep -> {
            throw new IllegalStateException("no configuration");
        });
        InstalledPolicy mute = policy("mute", sweep -> null);

        PolicyChain chain = chain(thrower, mute);

        assertThat(chain.decide(null)).isSameAs(Decision.KEEP);
        assertThat(chain.failures().get(thrower)).contains("begin() threw").contains("no configuration");
        assertThat(chain.failures()).containsEntry(mute, "begin() returned null");
    }

    @Test
    void throwsAfterThePolicyReturnedOnceTheRunIsAbandoned() {
        PolicyChain chain = chain(policy("slow", sweep -> flow -> {
            calls.abandon();
            return SILENT;
        }));

        assertThatThrownBy(() -> chain.decide(null)).isInstanceOf(PolicyCalls.AbandonedException.class);
    }

    private InstalledPolicy policy(String name, ExpiryPolicy policy) {
        return new InstalledPolicy(name, 0, nextId++, policy);
    }

    private PolicyChain chain(InstalledPolicy... policies) {
        return new PolicyChain(List.of(policies), null, calls);
    }
}
