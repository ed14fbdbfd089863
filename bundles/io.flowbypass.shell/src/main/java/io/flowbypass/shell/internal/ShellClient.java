// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.shell.internal;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;

/** Asks {@link ShellSocket} for one command: {@code ShellClient SOCKET COMMAND}. Needs nothing but a JRE. */
public final class ShellClient {
    private ShellClient() {
    }

    /** Ends with the status 0, with 1 when the command failed, with 2 when nobody answers. */
    public static void main(String... arguments) {
        try (SocketChannel server = SocketChannel.open(UnixDomainSocketAddress.of(arguments[0]))) {
            OutputStream to = SocketStreams.out(server);
            new DataOutputStream(to).writeUTF(arguments[1]);
            ShellSocket.daemon("keys", () -> forwardKeys(to)).start();
            System.exit(show(new DataInputStream(SocketStreams.in(server))));
        } catch (EOFException e) {
            System.err.println("flowbypass: Flowbypass, or its shell, ended before the command did");
            System.exit(2);
        } catch (IOException e) {
            System.err.println("flowbypass: nothing answers at " + arguments[0] + " (" + e.getMessage()
                    + "): is Flowbypass running, and are you its user or root?");
            System.exit(2);
        }
    }

    private static int show(DataInputStream from) throws IOException {
        while (true) {
            int what = from.readUnsignedByte();
            int number = from.readInt();
            if (what == ShellSession.END) {
                return number;
            }
            PrintStream to = what == ShellSession.ERROR ? System.err : System.out;
            to.write(from.readNBytes(number));
            to.flush();
        }
    }

    /** The end of the input is no reason to end. */
    private static void forwardKeys(OutputStream to) {
        try {
            byte[] keys = new byte[64];
            for (int count = System.in.read(keys); count > 0; count = System.in.read(keys)) {
                to.write(keys, 0, count);
            }
        } catch (IOException ended) {
            return;
        }
    }
}
