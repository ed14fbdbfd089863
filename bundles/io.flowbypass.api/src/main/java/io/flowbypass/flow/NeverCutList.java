// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/**
 * What is never cut, whoever asks. An entry is a prefix, and a protocol or protocol/port if need be, such as
 * {@code 192.0.2.0/24} or {@code 2001:db8::1 tcp/22}. Thread-safe; there as long as the {@link FlowTable} is.
 */
@ProviderType
public interface NeverCutList {
    /** The configured entries that are in force, in their order. */
    List<String> entries();

    /** This machine's own addresses, which are always on the list. */
    List<String> ownAddresses();

    /**
     * Adds an entry, kept in the configuration; returns when it is in force, which ends the bypass of what it names.
     *
     * @return false when it is on the list already
     * @throws IllegalArgumentException when it, or one that is configured already, cannot be read
     * @throws IllegalStateException when it cannot be stored, or is not in force after 5 s
     */
    boolean add(String entry);

    /**
     * Takes an entry off the list, kept in the configuration; returns when that is in force.
     *
     * @return false when it is not on the list
     * @throws IllegalArgumentException as {@link #add}
     * @throws IllegalStateException as {@link #add}
     */
    boolean remove(String entry);
}
