// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

import java.util.List;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Receives the records of ended flows: a whiteboard service with the property {@value #NAME}.
 *
 * <p>Each listener has a thread and a bounded queue of its own. Returning means taken; throwing means that
 * the same batch comes again after 0.1 s to 10 s. A listener that the table's {@code durable.listeners} names
 * gets every record at least once, always with the same id; any other listener loses the newest records when its
 * queue is full, and the loss is counted.
 */
@ConsumerType
public interface FlowListener {
    /** Service property, String: the listener's name, unique, without commas. */
    String NAME = "flowbypass.listener.name";

    /** Takes a batch of records, in the order in which each flow's records were made; never empty. */
    void ended(List<FlowRecord> records);
}
