// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.shell.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.DataOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Proxy;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class ShellSessionTest {
    /** What a pipe holds. */
    private static final int PIPE = 1024;

    @TempDir
    private Path directory;
    private Thread forwards;

    /** Its session does not close what it reads, as Gogo's, and its command reads nothing and waits until no more can come. */
    private CommandProcessor processor() {
        return (CommandProcessor) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {CommandProcessor.class},
                (self, method, arguments) -> session((InputStream) arguments[0]));
    }

    private CommandSession session(InputStream keys) {
        return (CommandSession) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {CommandSession.class},
                (self, method, arguments) -> {
                    if (method.getName().equals("execute")) {
                        while (keys.available() < PIPE) {
                            Thread.onSpinWait();
                        }
                        forwards = Thread.getAllStackTraces().keySet().stream()
                                .filter(thread -> thread.getName().equals("flowbypass-shell-keys")).findFirst().orElseThrow();
                    }
                    return null;
                });
    }

    @Test
    @Timeout(30)
    void shouldEndAllItsThreadsWhenACommandReadsNotAllThatIsPressed() throws Exception {
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(directory.resolve("s"));
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(address);
                SocketChannel client = SocketChannel.open(address);
                SocketChannel served = server.accept()) {
            OutputStream to = SocketStreams.out(client);
            new DataOutputStream(to).writeUTF("wait");
            to.write(new byte[5 * PIPE]);

            new ShellSession(processor(), served).run();

            assertThat(SocketStreams.in(client).readNBytes(5)).as("the end, with the status 0").containsOnly(0);
            forwards.join(TimeUnit.SECONDS.toMillis(10));
            assertThat(forwards.isAlive()).isFalse();
        }
    }
}
