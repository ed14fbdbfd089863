// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.expiry.internal;

import io.flowbypass.policy.ExpiryPolicy;
import java.util.Comparator;

/**
 * One registration of a policy. Immutable; equality is identity.
 *
 * @param name by which it is selected
 * @param ranking service ranking
 * @param id service id
 * @param service the policy
 */
record InstalledPolicy(String name, int ranking, long id, ExpiryPolicy service) {
    /** Higher ranking first, then the service that was registered first. */
    static final Comparator<InstalledPolicy> BEST_FIRST =
            Comparator.comparingInt(InstalledPolicy::ranking).reversed().thenComparingLong(InstalledPolicy::id);

    @Override
    public boolean equals(Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return Long.hashCode(id);
    }

    @Override
    public String toString() {
        return name + " (service " + id + ", " + service.getClass().getName() + ")";
    }
}
