// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.records.internal;

import java.io.Closeable;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.Objects;

/**
 * A file of whole lines. Once it is too large, or as soon as it is of an earlier period than now, it is renamed to
 * {@code NAME.1}, the one that had this name before to {@code NAME.2}, and so on; the last one is deleted. A file that
 * somebody else renamed or removed is made anew. For one thread at a time.
 *
 * <p>What {@link #append} has written is with the kernel: a JVM that is killed loses none of it, a machine that is may.
 */
final class RecordFile implements Closeable {
    private static final Logger LOG = System.getLogger(RecordFile.class.getName());
    private static final FileAttribute<?> DIRECTORY_MODE = mode("rwxr-x---");
    private static final FileAttribute<?> FILE_MODE = mode("rw-r-----");
    private static final int BLOCK = 4096;

    private final Path path;
    private final long maxBytes;
    private final long periodSeconds;
    private final int kept;
    private final InstantSource clock;
    /** Not a channel, which an interrupt would close in the middle of a line. Null when it is to be opened. */
    private RandomAccessFile file;
    /** What tells it from another file of that name. */
    private Object identity;
    private long period;
    private boolean failing;

    /**
     * Prepares it, and touches nothing.
     *
     * @param maxBytes the size beyond which a line goes into the next file
     * @param periodSeconds the length of a period; they are counted from the beginning of 1970, UTC. 0: of any age
     * @param kept how many files are kept beside the one that is written, at least 1
     */
    RecordFile(Path path, long maxBytes, long periodSeconds, int kept, InstantSource clock) {
        this.path = path.toAbsolutePath();
        this.maxBytes = maxBytes;
        this.periodSeconds = periodSeconds;
        this.kept = kept;
        this.clock = clock;
    }

    /** Opens it, or makes it, and takes a line away that somebody was killed in the middle of. */
    void open() throws IOException {
        Files.createDirectories(path.getParent(), DIRECTORY_MODE);
        try {
            Files.createFile(path, FILE_MODE);
        } catch (FileAlreadyExistsException there) {
            LOG.log(Level.DEBUG, "{0} goes on", path);
        }
        BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
        RandomAccessFile opened = new RandomAccessFile(path.toFile(), "rw");
        try {
            long whole = endOfLastLine(opened);
            if (whole < opened.length()) {
                opened.setLength(whole);
            }
        } catch (IOException e) {
            opened.close();
            throw e;
        }
        file = opened;
        identity = attributes.fileKey();
        period = periodOf(attributes.lastModifiedTime().toInstant().getEpochSecond());
    }

    private static long endOfLastLine(RandomAccessFile of) throws IOException {
        byte[] block = new byte[BLOCK];
        for (long end = of.length(); end > 0;) {
            long from = Math.max(0, end - BLOCK);
            int length = (int) (end - from);
            of.seek(from);
            of.readFully(block, 0, length);
            for (int i = length - 1; i >= 0; i--) {
                if (block[i] == '\n') {
                    return from + i + 1;
                }
            }
            end = from;
        }
        return 0;
    }

    /**
     * Appends lines: all of them, or none where it throws. What goes wrong is logged once, until it is well again.
     *
     * @param lines the lines, each with its end
     */
    void append(byte[] lines) throws IOException {
        try {
            write(lines);
        } catch (IOException e) {
            if (!failing) {
                LOG.log(Level.ERROR, "flow records cannot be written to {0}: {1}. It is tried again. Where"
                        + " durable.listeners in io.flowbypass.table names " + FlowRecords.NAME + ", flows that ended keep"
                        + " their slots meanwhile; where not, records may be lost.", path, why(e));
            }
            failing = true;
            throw e;
        }
        if (failing) {
            LOG.log(Level.INFO, "flow records are written to {0} again", path);
        }
        failing = false;
    }

    private void write(byte[] lines) throws IOException {
        if (file != null && !Objects.equals(identity, identityOf(path))) {
            close();
        }
        if (file == null) {
            open();
        }
        long now = periodOf(clock.instant().getEpochSecond());
        if (file.length() > 0 && (now != period || file.length() + lines.length > maxBytes)) {
            rotate();
        }
        // Somebody may have truncated it.
        long end = file.length();
        try {
            file.seek(end);
            file.write(lines);
        } catch (IOException e) {
            takeBack(end, e);
            throw e;
        }
        period = now;
    }

    private void takeBack(long end, IOException why) {
        try {
            file.setLength(end);
        } catch (IOException e) {
            why.addSuppressed(e);
            // Whoever opens it next looks for a line that is not whole.
            close();
        }
    }

    private void rotate() throws IOException {
        close();
        for (int number = kept; Files.deleteIfExists(numbered(number)); number++) {
            LOG.log(Level.DEBUG, "{0} is deleted", numbered(number));
        }
        for (int number = kept - 1; number > 0; number--) {
            renameIfThere(numbered(number), numbered(number + 1));
        }
        renameIfThere(path, numbered(1));
        open();
    }

    /** Somebody else may have renamed it meanwhile. */
    private static void renameIfThere(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (NoSuchFileException gone) {
            LOG.log(Level.DEBUG, "{0} is not there", from);
        }
    }

    private Path numbered(int number) {
        return path.resolveSibling(path.getFileName() + "." + number);
    }

    private long periodOf(long epochSecond) {
        return periodSeconds == 0 ? 0 : Math.floorDiv(epochSecond, periodSeconds);
    }

    private static Object identityOf(Path path) throws IOException {
        try {
            return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
        } catch (NoSuchFileException gone) {
            return null;
        }
    }

    /** In words: of some, the message is a path and nothing else. */
    static String why(IOException e) {
        return e instanceof FileSystemException known && known.getReason() == null ? e.toString() : e.getMessage();
    }

    private static FileAttribute<?> mode(String permissions) {
        return PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions));
    }

    @Override
    public void close() {
        if (file == null) {
            return;
        }
        try {
            file.close();
        } catch (IOException e) {
            LOG.log(Level.WARNING, "closing " + path, e);
        }
        file = null;
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
