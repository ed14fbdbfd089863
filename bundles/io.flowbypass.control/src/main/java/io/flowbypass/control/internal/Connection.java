// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.control.internal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * A client. Its lines are answered in order; while {@value #MAX_WAITING_BYTES} bytes of answers wait for it, no more of them
 * are read. Belongs to the server's thread.
 */
final class Connection {
    /** Of a line, without its end. */
    static final int MAX_LINE_BYTES = 4096;
    static final int MAX_WAITING_BYTES = 1 << 20;
    /** What an answer that is not known yet counts as. */
    private static final int UNKNOWN_BYTES = 512;
    /** So that others get their turn: after a list or a status of a large table it may be over at once. */
    private static final int LINES_A_TURN = 32;
    private static final long TURN_NANOS = 1_000_000;
    private static final int WRITE_BYTES = 1 << 16;
    private static final int USUAL_OUTPUT_BYTES = 1 << 13;

    private final SocketChannel channel;
    private final SelectionKey key;
    private final String asker;
    private final Operations operations;
    private final Consumer<Connection> answered;

    private final ByteBuffer in = ByteBuffer.allocate(2 * MAX_LINE_BYTES);
    private final CharBuffer line = CharBuffer.allocate(MAX_LINE_BYTES);
    private final CharsetDecoder utf8 = StandardCharsets.UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    private final Deque<CompletableFuture<byte[]>> answers = new ArrayDeque<>();
    /** Between position and limit: what is to be written. */
    private ByteBuffer out = ByteBuffer.allocate(USUAL_OUTPUT_BYTES).flip();
    private long writtenAt;
    private long heardAt = System.nanoTime();
    private boolean skipping;
    private boolean ended;

    /** @param answered is told, on any thread, when an answer is there that was not at once */
    Connection(SocketChannel channel, SelectionKey key, String asker, Operations operations, Consumer<Connection> answered) {
        this.channel = channel;
        this.key = key;
        this.asker = asker;
        this.operations = operations;
        this.answered = answered;
    }

    /**
     * Reads, answers and writes what can be without waiting.
     *
     * @return whether there are lines left for its next turn
     */
    boolean serve() throws IOException {
        write();
        if (!ended && hasRoom() && in.hasRemaining()) {
            int read = channel.read(in);
            ended = read < 0;
            heardAt = read > 0 ? System.nanoTime() : heardAt;
        }
        boolean lineWaits = answerLines();
        write();
        key.interestOps((ended || !hasRoom() || !in.hasRemaining() ? 0 : SelectionKey.OP_READ)
                | (out.hasRemaining() ? SelectionKey.OP_WRITE : 0));
        return lineWaits && hasRoom();
    }

    /** Whether the client has ended its requests, and has every answer. */
    boolean isDone() {
        return ended && isIdle();
    }

    /** Whether answers have waited for the client for so long. */
    boolean isStalled(long nanos) {
        return out.hasRemaining() && System.nanoTime() - writtenAt > nanos;
    }

    /** Whether it has asked for nothing that is not answered. */
    boolean isIdle() {
        return in.position() == 0 && answers.isEmpty() && !out.hasRemaining();
    }

    /** When it last sent something, by {@link System#nanoTime()}; when it came, at first. */
    long heardAt() {
        return heardAt;
    }

    private boolean hasRoom() {
        return out.remaining() + answers.size() * UNKNOWN_BYTES < MAX_WAITING_BYTES;
    }

    /** Returns whether there is another line. */
    private boolean answerLines() {
        in.flip();
        int end = endOfLine();
        long began = System.nanoTime();
        for (int lines = 0; end >= 0 && hasRoom() && lines < LINES_A_TURN
                && (lines == 0 || System.nanoTime() - began < TURN_NANOS); lines++) {
            answerLine(end);
            in.position(Math.min(end + 1, in.limit()));
            end = endOfLine();
        }
        in.compact();
        return end >= 0;
    }

    /** Where the next line ends; negative when it is not there as a whole. Drops the rest of a line that was too long. */
    private int endOfLine() {
        for (int at = in.position(); at < in.limit(); at++) {
            if (in.get(at) == '\n') {
                if (!skipping) {
                    return at;
                }
                skipping = false;
                in.position(at + 1);
            }
        }
        if (skipping) {
            in.position(in.limit());
        }
        return in.remaining() > MAX_LINE_BYTES || ended && in.hasRemaining() ? in.limit() : -1;
    }

    private void answerLine(int end) {
        int length = end - in.position();
        if (length > MAX_LINE_BYTES) {
            skipping = end == in.limit();
            add(operations.refused("the line is longer than " + MAX_LINE_BYTES + " bytes"));
            return;
        }
        line.clear();
        if (utf8.reset().decode(in.slice(in.position(), length), line, true).isError()) {
            add(operations.refused("the line is not UTF-8"));
            return;
        }
        add(operations.answer(line.array(), line.position(), asker));
    }

    private void add(CompletableFuture<byte[]> answer) {
        if (!answer.isDone()) {
            answer.whenComplete((bytes, never) -> answered.accept(this));
        }
        answers.add(answer);
        collect();
    }

    /** Puts the answers that are there behind what is to be written, in the order of their requests. */
    private void collect() {
        while (!answers.isEmpty() && answers.peek().isDone()) {
            byte[] answer = answers.remove().join();
            if (!out.hasRemaining()) {
                writtenAt = System.nanoTime();
            }
            out.compact();
            if (out.remaining() < answer.length) {
                out = ByteBuffer.allocate(Math.max(out.position() + answer.length, 2 * out.capacity())).put(out.flip());
            }
            out.put(answer).flip();
        }
    }

    private void write() throws IOException {
        collect();
        while (out.hasRemaining()) {
            // The JDK copies all that it is given, whatever the kernel takes of it.
            int written = channel.write(out.slice(out.position(), Math.min(WRITE_BYTES, out.remaining())));
            if (written == 0) {
                return;
            }
            out.position(out.position() + written);
            writtenAt = System.nanoTime();
        }
        if (out.capacity() > WRITE_BYTES) {
            out = ByteBuffer.allocate(USUAL_OUTPUT_BYTES).flip();
        }
    }

    String asker() {
        return asker;
    }

    boolean isOpen() {
        return channel.isOpen();
    }

    void close() throws IOException {
        channel.close();
    }
}
