// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.function.Consumer;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The reading end of a RINGBUF, into which programs write records. The kernel keeps one reading position for all: two
 * readers of one map, in this process or in another, take records away from each other. Thread-safe; one at a time reads.
 */
@ProviderType
public interface RingBuffer extends AutoCloseable {
    /**
     * Gives the records that are there, in the order in which programs reserved them. A record counts as read when the
     * callback has returned or thrown; a throw ends this call.
     *
     * @param records gets each record, read-only, in the machine's byte order, with the position 0 and the record's length
     *        as limit; its content is another one after the callback, so it must not be kept
     * @return how many
     * @throws IllegalStateException when this or the map is closed, or inside a callback
     */
    int consume(Consumer<ByteBuffer> records);

    /**
     * As {@link #consume(Consumer)}; when there is no record, waits for the first one.
     *
     * @param atMost how long to wait; an interrupt ends the wait too, and stays set
     * @return how many; 0 when none came
     * @throws IllegalStateException when this or the map is closed, also meanwhile, or inside a callback
     */
    int consume(Consumer<ByteBuffer> records, Duration atMost);

    /**
     * Ends reading, in this or another thread, after the record whose callback is under way; the map stays open. Waits for
     * that callback up to 5 s, unless it is called in it.
     */
    @Override
    void close();
}
