// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.demo.internal;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;

/**
 * One long conversation, as the conductor orders it from the client: a line of text with the parts separated by blanks.
 *
 * @param tcp TCP or else UDP
 * @param client the client's address
 * @param clientPort the client's port
 * @param server the server's address
 * @param packetsPerSecond full packets that the client sends each second
 */
record Elephant(boolean tcp, String client, int clientPort, String server, int packetsPerSecond) {
    /** As a line. */
    String line() {
        return String.join(" ", tcp ? "tcp" : "udp", client, Integer.toString(clientPort), server,
                Integer.toString(packetsPerSecond));
    }

    /** From a line. */
    static Elephant ofLine(String line) {
        String[] parts = line.split(" ");
        return new Elephant(parts[0].equals("tcp"), parts[1], Integer.parseInt(parts[2]), parts[3],
                Integer.parseInt(parts[4]));
    }

    /** Where the client sends from. */
    InetSocketAddress from() throws UnknownHostException {
        return new InetSocketAddress(InetAddress.getByName(client), clientPort);
    }

    /** Where it sends to. */
    InetSocketAddress to() throws UnknownHostException {
        return new InetSocketAddress(InetAddress.getByName(server), Conversations.ELEPHANT_PORT);
    }
}
