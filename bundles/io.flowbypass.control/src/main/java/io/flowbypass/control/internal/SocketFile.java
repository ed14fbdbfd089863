// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.control.internal;

import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipalNotFoundException;

/** A listening Unix socket and its file, which owner and group may read and write. */
final class SocketFile implements AutoCloseable {
    private final Path path;
    private final ServerSocketChannel channel;
    private final Object fileKey;

    private SocketFile(Path path, ServerSocketChannel channel) throws IOException {
        this.path = path;
        this.channel = channel;
        fileKey = fileKey(path);
    }

    /**
     * Makes it, in the place of a file that a dead process left.
     *
     * @param group of the file; empty for this process's own
     * @throws IOException with a sentence for the operator
     */
    static SocketFile open(Path path, String group) throws IOException {
        refuseOther(path);
        Path directory = path.toAbsolutePath().getParent();
        Files.createDirectories(directory);
        // Nobody reaches it before it has its group and mode, and the rename takes a dead one's place at once.
        // Names are short, for a socket's path is.
        Path hidden = directory.resolve("." + ProcessHandle.current().pid());
        Path file = hidden.resolve("s");
        Files.deleteIfExists(file);
        Files.deleteIfExists(hidden);
        Files.createDirectory(hidden, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.bind(UnixDomainSocketAddress.of(file));
            permit(file, group);
            Files.move(file, path, StandardCopyOption.ATOMIC_MOVE);
            return new SocketFile(path, channel);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        } finally {
            Files.deleteIfExists(file);
            Files.delete(hidden);
        }
    }

    private static void refuseOther(Path path) throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        BasicFileAttributes there = Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        if (there.isDirectory()) {
            throw new IOException("that is a directory: name a path in it");
        }
        if (!there.isOther()) {
            throw new IOException("there is a file that is no socket: remove it");
        }
        try (SocketChannel other = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            // Without blocking: a process that lives and takes no clients is one, too.
            other.configureBlocking(false);
            other.connect(UnixDomainSocketAddress.of(path));
        } catch (ConnectException dead) {
            return;
        } catch (IOException alive) {
            throw alreadyServed(alive);
        }
        throw alreadyServed(null);
    }

    private static IOException alreadyServed(IOException why) {
        return new IOException("another process serves that socket: end it, or name another path", why);
    }

    private static void permit(Path file, String group) throws IOException {
        if (!group.isEmpty()) {
            PosixFileAttributeView view = Files.getFileAttributeView(file, PosixFileAttributeView.class);
            give(view, group(file, group));
        }
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw----"));
    }

    private static void give(PosixFileAttributeView view, GroupPrincipal group) throws IOException {
        try {
            view.setGroup(group);
        } catch (NoSuchFileException gone) {
            throw gone;
        } catch (FileSystemException e) {
            throw new IOException("the user who runs Flowbypass is not in the group " + group + " (" + e.getReason()
                    + "): put SupplementaryGroups=" + group + " into the unit, or the user into the group", e);
        }
    }

    private static GroupPrincipal group(Path file, String name) throws IOException {
        try {
            return file.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByGroupName(name);
        } catch (UserPrincipalNotFoundException e) {
            throw new IOException("there is no group \"" + name + "\" on this machine: make it, or name another one", e);
        }
    }

    Path path() {
        return path;
    }

    ServerSocketChannel channel() {
        return channel;
    }

    /** Gives the file to another group. */
    void permit(String group) throws IOException {
        permit(path, group);
    }

    /** Takes no more clients, and removes the file unless another one has its place. */
    @Override
    public void close() throws IOException {
        channel.close();
        try {
            if (fileKey.equals(fileKey(path))) {
                Files.delete(path);
            }
        } catch (NoSuchFileException gone) {
            return; // somebody removed it
        }
    }

    private static Object fileKey(Path path) throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS).fileKey();
    }
}
