// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

import org.osgi.annotation.versioning.ProviderType;

/**
 * Guards mappings against being unmapped under a reader, which would crash the JVM.
 *
 * <pre>
 *     if (!gate.enter()) { throw ... }   // closed
 *     try { ... read and write mappings ... } finally { gate.exit(); }
 * </pre>
 *
 * <p>Any number of threads may be inside. Entering costs one atomic addition and allocates nothing; it may be nested.
 */
@ProviderType
public interface Gate extends AutoCloseable {
    /** Enters; false once the gate is closing, and nothing may be read then. */
    boolean enter();

    /** Leaves; once for each {@link #enter()} that returned true. */
    void exit();

    /**
     * Refuses new readers, waits at most 5 s for those inside, then unmaps. Where a reader is still inside, the memory is
     * leaked, which is harmless, and the log says so.
     */
    @Override
    void close();
}
