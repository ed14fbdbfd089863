// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.shell.internal;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.PrintStream;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Converter;
import org.apache.felix.service.command.Job;

/**
 * One command of one client:
 *
 * <pre>
 *   client: its text (length and modified UTF-8, as DataOutput writes it), then the keys that are pressed meanwhile
 *   server: frames: what it is (1 output, 2 error, 0 the end), length or, at the end, the status (4 bytes), bytes
 * </pre>
 */
final class ShellSession {
    static final int END = 0;
    static final int OUT = 1;
    static final int ERROR = 2;

    private final CommandProcessor processor;
    private final InputStream in;
    private final DataOutputStream out;

    ShellSession(CommandProcessor processor, SocketChannel client) {
        this.processor = processor;
        in = SocketStreams.in(client);
        out = new DataOutputStream(SocketStreams.out(client));
    }

    /** Carries it out. */
    void run() throws IOException {
        String command = new DataInputStream(in).readUTF();
        PrintStream output = print(OUT);
        PrintStream error = print(ERROR);
        int status = 0;
        // Once keys is closed, who forwards what no command reads waits no more; a session does not close it.
        try (PipedInputStream keys = new PipedInputStream();
                CommandSession session = processor.createSession(keys, output, error)) {
            PipedOutputStream pressed = new PipedOutputStream(keys);
            Thread runs = Thread.currentThread();
            ShellSocket.daemon("flowbypass-shell-keys", () -> forward(pressed, session, runs)).start();
            try {
                Object result = session.execute(command);
                if (result != null) {
                    output.println(session.format(result, Converter.INSPECT));
                }
            } catch (Exception e) { // execute throws Exception
                error.println(e.getMessage() == null ? e.toString() : e.getMessage());
                status = 1;
            }
        }
        output.flush();
        error.flush();
        synchronized (out) {
            out.writeByte(END);
            out.writeInt(status);
        }
    }

    private PrintStream print(int what) {
        return new PrintStream(new OutputStream() {
            @Override
            public void write(int one) throws IOException {
                write(new byte[] {(byte) one}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                synchronized (out) {
                    out.writeByte(what);
                    out.writeInt(length);
                    out.write(bytes, offset, length);
                }
            }
        }, false, StandardCharsets.UTF_8);
    }

    /** Hands on what is pressed; once the client is gone, the command has nobody to work for. */
    private void forward(PipedOutputStream pressed, CommandSession session, Thread runs) {
        try (pressed) {
            in.transferTo(pressed);
        } catch (IOException ended) {
            return;
        }
        Job job = session.foregroundJob();
        if (job != null) {
            job.interrupt();
        }
        runs.interrupt();
    }
}
