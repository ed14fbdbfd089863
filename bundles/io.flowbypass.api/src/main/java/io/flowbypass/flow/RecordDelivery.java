// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Hands records of flows that are in no native table to every {@link FlowListener}. Thread-safe; there as long as the
 * {@link FlowTable} is. Nothing waits for durable listeners: they get such a record at most once, and lose it when
 * they are too slow, or when the table stops before they took it.
 */
@ProviderType
public interface RecordDelivery {
    /** Queues a batch, which is not empty, for every listener; never blocks. */
    void deliver(List<FlowRecord> records);
}
