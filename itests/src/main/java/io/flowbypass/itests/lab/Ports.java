// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import java.io.IOException;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/** TCP ports for servers that tests start. */
public final class Ports {
    /** From here on, and below 32768: those above the kernel gives to connections, also between a look and a server's start. */
    private static final int FIRST = 20_000;
    private static final int TRIES = 2_000;
    private static final AtomicInteger NEXT = new AtomicInteger(FIRST + ThreadLocalRandom.current().nextInt(TRIES));

    private Ports() {
    }

    /** One on which nothing listens; another one each time. */
    public static int free() {
        for (int i = 0; i < TRIES; i++) {
            int port = NEXT.getAndIncrement();
            if (isFree(port)) {
                return port;
            }
        }
        throw new IllegalStateException("none of " + TRIES + " ports is free");
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket(port)) {
            return socket.isBound();
        } catch (IOException taken) {
            return false;
        }
    }
}
