// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.demo.internal;

import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.Protocols;
import java.util.Optional;

/**
 * Elephants of one kind, one after the other. Each begins, is bypassed while it talks, falls silent and expires; then
 * the next one begins, from another port. Not thread-safe.
 */
final class Lane {
    /** How long an elephant is seen by the capture before it is bypassed. */
    static final long SEEN_MILLIS = 2000;
    /** How long after the last elephant fell silent all of them should have expired. */
    static final long EXPIRY_MILLIS = 5000;

    /** The least time that it is bypassed while it talks. */
    private static final long CUT_MILLIS = 2200;
    private static final long PAUSE_MILLIS = 1000;
    private static final int PORTS_PER_LANE = 1000;
    // Below the kernel's own choice of client ports, so that a port says which conversation it is.
    private static final int FIRST_PORT = 20_000;

    /** What a lane needs of the world. */
    interface Stage {
        /** Lets an elephant begin. */
        void begin(Elephant elephant);

        /** Bypasses it. */
        void bypass(Elephant elephant, FlowKey key);

        /** Lets it fall silent. */
        void end(Elephant elephant);
    }

    private final Stage stage;
    private final int number;
    private final boolean tcp;
    private final String client;
    private final String server;
    private final int packetsPerSecond;
    private final long lifeMillis;
    private int count;
    private long nextBegin;
    private long begun;
    private Elephant elephant;
    private FlowKey bypassed;
    private boolean asked;
    private boolean silent;

    /**
     * A lane.
     *
     * @param stage where it plays
     * @param number 0 and up; elephants of a higher one live longer
     * @param beginMillis when the first elephant begins
     * @param tcp TCP or else UDP
     * @param client address of the client
     * @param server address of the server
     * @param packetsPerSecond rate of each elephant
     */
    Lane(Stage stage, int number, long beginMillis, boolean tcp, String client, String server, int packetsPerSecond) {
        this.stage = stage;
        this.number = number;
        this.tcp = tcp;
        this.client = client;
        this.server = server;
        this.packetsPerSecond = packetsPerSecond;
        this.lifeMillis = 8000 + 2000L * number;
        this.nextBegin = beginMillis;
    }

    /**
     * Does what is due.
     *
     * @param now milliseconds since the demo began
     * @param last when all elephants must be silent, in the same milliseconds
     */
    void step(long now, long last) {
        if (elephant == null) {
            if (now >= nextBegin && now + SEEN_MILLIS + CUT_MILLIS < last) {
                begun = now;
                asked = false;
                silent = false;
                int port = FIRST_PORT + PORTS_PER_LANE * number + count++ % PORTS_PER_LANE;
                elephant = new Elephant(tcp, client, port, server, packetsPerSecond);
                stage.begin(elephant);
            }
        } else if (now >= last || now - begun >= lifeMillis) {
            fallSilent();
        } else if (!asked && now - begun >= SEEN_MILLIS) {
            asked = true;
            bypassed = FlowKey.of(tcp ? Protocols.TCP : Protocols.UDP, client, elephant.clientPort(), server,
                    Conversations.ELEPHANT_PORT);
            stage.bypass(elephant, bypassed);
        }
        if (elephant != null && silent && bypassed == null) {
            elephant = null;
            nextBegin = now + PAUSE_MILLIS;
        }
    }

    /** Lets the elephant fall silent, if one talks. */
    void fallSilent() {
        if (elephant != null && !silent) {
            silent = true;
            stage.end(elephant);
        }
    }

    /** Takes note of an ended flow; the elephant when it was this lane's. */
    Optional<Elephant> ended(FlowRecord flowRecord) {
        if (!flowRecord.flow().key().equals(bypassed)) {
            return Optional.empty();
        }
        // Released by hand while it talked, it goes on unbypassed until its time is over.
        bypassed = null;
        return Optional.of(elephant);
    }
}
