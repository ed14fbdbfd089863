// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.BpfException;
import io.flowbypass.libbpf.Host;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;

/**
 * Where things are pinned.
 *
 * <pre>
 *    root/index records info verdicts config ...  the maps
 *    root/program                                the program
 *    root/program-frags                          the one for packets in several buffers, where the kernel can
 *    root/links/INODE-INTERFACE                  a link; INODE is that of the network namespace, which a link does not tell
 *    root/old/records info config                what has to be drained of a table of another layout or capacity
 * </pre>
 */
final class Pins {
    static final String CONFIG = "config";
    /** The maps in the order in which they are pinned: that of config, the last one, says that the others are complete. */
    static final List<String> MAPS = List.of("index", "records", "info", "verdicts", "reserve", "ports", "tracker",
            "never", "cutoffs", "events", CONFIG);

    private static final String RECORDS = "records";
    /**
     * What goes to root/old, and what is removed there, in this order. So config tells, when records is there too, that all
     * were moved; when it is not, that the table was drained.
     */
    private static final List<String> MOVED = List.of(RECORDS, "info", CONFIG);

    private static final String OWNER_ONLY = "rwx------";

    private final Path root;

    /** For pins in a directory that is known to be a place for them. */
    Pins(Path root) {
        this.root = root;
    }

    /**
     * Makes the directories where they are missing.
     *
     * @throws Refusal when this is no place for pins
     */
    static Pins in(Path root) throws Refusal {
        if (!root.isAbsolute() || root.getParent() == null || root.getFileName().toString().contains(".")) {
            throw new Refusal("pin.root is \"" + root + "\": it must be an absolute path whose last part has no dot,"
                    + " which bpf file systems do not allow.");
        }
        try {
            if (!Host.isOnBpfFileSystem(Files.isDirectory(root) ? root : root.getParent())) {
                throw new Refusal(root + " is not on a bpf file system: mount -t bpf bpf /sys/fs/bpf");
            }
            Pins pins = new Pins(root);
            makeDirectory(root);
            makeDirectory(pins.links());
            return pins;
        } catch (IOException | BpfException refused) {
            throw new Refusal("The directory " + root + " for the pins cannot be made: " + refused.getMessage()
                    + ". Its parent must be on a bpf file system (mount -t bpf bpf /sys/fs/bpf) and writable: run as root.",
                    refused);
        }
    }

    Path root() {
        return root;
    }

    Path map(String name) {
        return root.resolve(name);
    }

    Path program() {
        return root.resolve("program");
    }

    /** For packets in several buffers. */
    Path fragsProgram() {
        return root.resolve("program-frags");
    }

    /** Of an interface in this process's network namespace. A bpf file system does not allow dots in names. */
    Path link(String interfaceName) {
        return links().resolve(namespace() + interfaceName.replace('.', '%'));
    }

    /** The interfaces of this process's network namespace that have a link; none after ./flowbypass off. */
    List<String> linkedInterfaces() {
        String namespace = namespace();
        try {
            return allLinks().stream().map(pin -> pin.getFileName().toString()).filter(name -> name.startsWith(namespace))
                    .map(name -> name.substring(namespace.length()).replace('%', '.')).toList();
        } catch (IOException removed) {
            return List.of();
        }
    }

    private static String namespace() {
        try {
            return Files.readSymbolicLink(Path.of("/proc/self/ns/net")).toString().replaceAll("\\D", "") + "-";
        } catch (IOException unreadable) {
            throw new UncheckedIOException("cannot tell the network namespace: is /proc mounted?", unreadable);
        }
    }

    /** The pins of all links, of all network namespaces. */
    List<Path> allLinks() throws IOException {
        try (Stream<Path> all = Files.list(links())) {
            return all.sorted().toList();
        }
    }

    /** The maps that are not pinned. */
    List<String> missing() {
        return MAPS.stream().filter(name -> !Files.exists(map(name))).toList();
    }

    /** Removes maps and program, not the links. Config goes first: what is left after a crash is not complete. */
    void removeRemains() throws IOException {
        Files.deleteIfExists(map(CONFIG));
        for (String name : MAPS) {
            Files.deleteIfExists(map(name));
        }
        Files.deleteIfExists(program());
        Files.deleteIfExists(fragsProgram());
    }

    /** A map of a table that was moved aside. */
    Path oldMap(String name) {
        return old().resolve(name);
    }

    /** Whether a table was moved aside. */
    boolean hasOld() {
        return Files.exists(oldMap(CONFIG));
    }

    /** Moves a table aside; may be repeated after a crash, while no other table is pinned. */
    void moveAside() throws IOException {
        makeDirectory(old());
        for (String name : MOVED) {
            if (Files.exists(map(name))) {
                Files.move(map(name), oldMap(name), StandardCopyOption.ATOMIC_MOVE);
            }
        }
    }

    /** Removes a table that was moved aside; may be repeated after a crash. */
    void removeOld() throws IOException {
        for (String name : MOVED) {
            Files.deleteIfExists(oldMap(name));
        }
        Files.deleteIfExists(old());
    }

    /** Ends what a crash interrupted: moving a table aside, or removing it. */
    void resumeOld() throws IOException {
        if (!Files.exists(oldMap(RECORDS))) {
            removeOld();
        } else if (!hasOld()) {
            moveAside();
        }
    }

    private Path old() {
        return root.resolve("old");
    }

    /** Pins a program in the place of the one before; at every moment one of them is pinned. */
    void replaceProgram(int program, Path pin) throws IOException {
        Path next = root.resolve("program-next");
        Files.deleteIfExists(next);
        Bpf.pin(program, next);
        Files.move(next, pin, StandardCopyOption.ATOMIC_MOVE);
    }

    /** Makes the directory of the links again when somebody has removed it. */
    void makeLinks() throws Refusal {
        try {
            makeDirectory(links());
        } catch (IOException failed) {
            throw new Refusal("The directory " + links() + " cannot be made again: " + failed + ".", failed);
        }
    }

    private Path links() {
        return root.resolve("links");
    }

    private static void makeDirectory(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            Files.createDirectory(directory,
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(OWNER_ONLY)));
        }
    }
}
