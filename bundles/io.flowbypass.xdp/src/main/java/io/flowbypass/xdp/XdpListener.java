// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Hears when XDP is off an interface that is configured, and back. A whiteboard service; called on a thread that nothing but
 * other listeners waits for.
 */
@ConsumerType
public interface XdpListener {
    /**
     * XDP was found off an interface on which it ran.
     *
     * @param interfaceName its name
     * @param why in a sentence
     */
    void detached(String interfaceName, String why);

    /**
     * XDP was attached to an interface that it was off, or to one to which it could not be attached before.
     *
     * @param interfaceName its name
     * @param how in a sentence
     */
    void attached(String interfaceName, String how);

    /**
     * Somebody else had unpinned maps of the table, and they were pinned again.
     *
     * @param what in a sentence
     */
    void repinned(String what);
}
