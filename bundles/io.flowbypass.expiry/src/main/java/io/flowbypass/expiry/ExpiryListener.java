// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.expiry;

import java.util.List;
import org.osgi.annotation.versioning.ConsumerType;

/** Hears what an operator should know of expiry. A whiteboard service; called on the engine's threads, must not block. */
@ConsumerType
public interface ExpiryListener {
    /**
     * The list of active policies changed.
     *
     * @param before names in order, before
     * @param now names in order, from the next sweep on
     * @param why in a few words
     */
    void policiesSwapped(List<String> before, List<String> now, String why);

    /**
     * A policy is not asked any more because it failed too often.
     *
     * @param policy its name
     * @param why in a sentence
     */
    void policyQuarantined(String policy, String why);

    /**
     * A table fills up, or expiry is in trouble.
     *
     * @param what in a sentence
     */
    void pressure(String what);
}
