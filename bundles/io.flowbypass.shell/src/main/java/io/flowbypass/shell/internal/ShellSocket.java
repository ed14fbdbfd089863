// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.shell.internal;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.felix.service.command.CommandProcessor;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;

/**
 * Carries out what {@link ShellClient} asks for on a Unix socket that only this process's user and root may open. Where the
 * framework property {@value #PROPERTY} names no socket, as in Karaf, which has a console of its own, there is none.
 */
@Component(immediate = true, service = {})
public final class ShellSocket {
    static final String PROPERTY = "flowbypass.shell.socket";

    private static final long PAUSE_MILLIS = 1000;
    private static final Logger LOG = System.getLogger(ShellSocket.class.getName());

    private final CommandProcessor processor;
    private final Path path;
    private final ServerSocketChannel server;
    private final Set<SocketChannel> open = ConcurrentHashMap.newKeySet();

    /** Opens it. */
    @Activate
    public ShellSocket(BundleContext context, @Reference CommandProcessor processor) throws IOException {
        this.processor = processor;
        String name = context.getProperty(PROPERTY);
        if (name == null) {
            path = null;
            server = null;
            return;
        }
        path = Path.of(name).toAbsolutePath();
        server = bind(path);
        daemon("flowbypass-shell-accept", this::accept).start();
    }

    /** Nobody else gets at it before its mode is set: it is made in a directory of its own. */
    private static ServerSocketChannel bind(Path path) throws IOException {
        Path made = Files.createTempDirectory(path.getParent(), "shell",
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Path socket = made.resolve("s");
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            server.bind(UnixDomainSocketAddress.of(socket));
            Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
            Files.move(socket, path, StandardCopyOption.ATOMIC_MOVE);
            return server;
        } catch (IOException e) {
            server.close();
            Files.deleteIfExists(socket);
            throw e;
        } finally {
            Files.delete(made);
        }
    }

    static Thread daemon(String name, Runnable task) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        return thread;
    }

    private void accept() {
        try {
            while (true) {
                acceptOne();
            }
        } catch (ClosedChannelException ending) {
            LOG.log(Level.DEBUG, "the shell's socket is closed", ending);
        } catch (InterruptedException ending) {
            Thread.currentThread().interrupt();
        }
    }

    private void acceptOne() throws ClosedChannelException, InterruptedException {
        try {
            SocketChannel client = server.accept();
            open.add(client);
            daemon("flowbypass-shell", () -> serve(client)).start();
        } catch (ClosedChannelException ending) {
            throw ending;
        } catch (IOException e) { // such as too many open files
            LOG.log(Level.WARNING, "the shell's socket " + path + " lets nobody in for a second", e);
            Thread.sleep(PAUSE_MILLIS);
        }
    }

    private void serve(SocketChannel client) {
        try (client) {
            new ShellSession(processor, client).run();
        } catch (IOException gone) {
            LOG.log(Level.DEBUG, "a client of the shell went away", gone);
        } finally {
            open.remove(client);
        }
    }

    @Deactivate
    void close() throws IOException {
        if (server == null) {
            return;
        }
        server.close();
        Files.deleteIfExists(path);
        for (SocketChannel client : open) {
            client.close();
        }
    }
}
