// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A monitor that asks over the control socket. */
final class ControlClient implements AutoCloseable {
    private final SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    private final BufferedReader answers;

    ControlClient(Path socket) throws IOException {
        channel.connect(UnixDomainSocketAddress.of(socket));
        answers = new BufferedReader(new InputStreamReader(Channels.newInputStream(channel), StandardCharsets.UTF_8));
    }

    /** Sends a line, and waits for its answer. */
    String ask(String line) throws IOException {
        return ask(List.of(line)).get(0);
    }

    /** Sends all lines, and then reads as many answers. */
    List<String> ask(List<String> lines) throws IOException {
        ByteBuffer bytes = StandardCharsets.UTF_8.encode(String.join("\n", lines) + "\n");
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
        List<String> read = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            read.add(answers.readLine());
        }
        return read;
    }

    /** A request about a UDP flow; more is what else it says, such as {@code ,"ttl":60}. */
    static String udp(String op, String source, int sourcePort, String destination, int destinationPort, String more) {
        return "{\"op\":\"" + op + "\",\"proto\":\"UDP\",\"src_ip\":\"" + source + "\",\"src_port\":" + sourcePort
                + ",\"dest_ip\":\"" + destination + "\",\"dest_port\":" + destinationPort + more + "}";
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
