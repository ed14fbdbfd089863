// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Hears what an operator should know of the flow table, at most a few seconds later. A whiteboard service; called on a
 * thread that nothing else waits for.
 */
@ConsumerType
public interface FlowTableListener {
    /**
     * Bypasses were refused because the table has no room. Comes again only after the table was below 80 %.
     *
     * @param what in a sentence, with what to do
     */
    default void full(String what) {
    }

    /**
     * A durable listener takes no records, so that ended flows keep their slots and the table is at least 90 % full. Comes
     * again only after that listener took some.
     *
     * @param what in a sentence, with the listener's name and how many records wait for it
     */
    default void stuck(String what) {
    }
}
