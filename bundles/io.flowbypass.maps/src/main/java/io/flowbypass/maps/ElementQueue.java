// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/** A QUEUE, first in, first out, or a STACK, last in, first out. Thread-safe. Errors as {@link TypedMap}. */
@ProviderType
public interface ElementQueue<V> {
    /**
     * Adds an element.
     *
     * @throws MapFullException when there is no room
     */
    void push(V value);

    /** Adds an element, in place of the oldest one where there is no room ({@code BPF_EXIST}). */
    void pushOver(V value);

    /** Takes the next element out; empty when there is none. */
    Optional<V> pop();

    /** The next element, which stays; empty when there is none. */
    Optional<V> peek();
}
