// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.libbpf;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import io.flowbypass.libbpf.internal.Errno;
import io.flowbypass.libbpf.internal.Libbpf;
import io.flowbypass.libbpf.internal.Libc;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;

/**
 * The bpf system call. A descriptor is passed as its number; keys and values must have the sizes that the map has, which
 * is not checked here. Thread-safe. Every method throws {@link BpfException} when the kernel refuses.
 */
public final class Bpf {
    /** How an XDP program is attached. */
    public enum XdpMode {
        /** In the driver, {@code XDP_FLAGS_DRV_MODE}. */
        NATIVE(1 << 2),
        /** Behind the driver, {@code XDP_FLAGS_SKB_MODE}. */
        GENERIC(1 << 1);

        private final int flag;

        XdpMode(int flag) {
            this.flag = flag;
        }
    }

    private static final int BPF_XDP = 37;
    private static final int BPF_ANY = 0;
    private static final int PAGE = 4096;

    private Bpf() {
    }

    /**
     * Creates a map.
     *
     * @param type number of {@code enum bpf_map_type}
     * @param name letters, digits, {@code _} and {@code .}; the kernel keeps 15 bytes
     * @param flags {@code BPF_F_*}
     * @param innerMap descriptor of a map like those that a map of maps will hold; 0 for other types
     */
    public static Descriptor createMap(int type, String name, int keySize, int valueSize, int maxEntries, int flags,
            int innerMap) {
        try (Memory options = options(48)) {
            options.setInt(24, innerMap);
            options.setInt(28, flags);
            return new Descriptor(checked("creating the map " + name,
                    Libbpf.get().bpf_map_create(type, name, keySize, valueSize, maxEntries, options)));
        }
    }

    /** Opens a pinned map, program or link. */
    public static Descriptor open(Path pin) {
        return new Descriptor(checked("opening " + pin, Libbpf.get().bpf_obj_get(pin.toString())));
    }

    /** Opens a map by its id. */
    public static Descriptor openMap(int id) {
        return new Descriptor(checked("opening the map with id " + id, Libbpf.get().bpf_map_get_fd_by_id(id)));
    }

    /** Pins a map, program or link, with mode 0600. */
    public static void pin(int descriptor, Path path) {
        checked("pinning at " + path, Libbpf.get().bpf_obj_pin(descriptor, path.toString()));
    }

    /**
     * What the kernel says of a map.
     *
     * @throws BpfException when the descriptor is no map's
     */
    public static MapDescription describeMap(int map) {
        requireMap(map);
        try (Memory info = info("map", map, 88)) {
            return new MapDescription(info.getInt(4), info.getInt(0), name(info, 24), info.getInt(8), info.getInt(12),
                    info.getInt(16), info.getInt(20));
        }
    }

    /** What the kernel says of a program. */
    public static ProgramDescription describeProgram(int program) {
        try (Memory info = info("program", program, 232)) {
            return new ProgramDescription(info.getInt(4), HexFormat.of().formatHex(info.getByteArray(8, 8)),
                    name(info, 64));
        }
    }

    /** What the kernel says of an XDP link. */
    public static LinkDescription describeLink(int link) {
        try (Memory info = info("link", link, 48)) {
            return new LinkDescription(info.getInt(4), info.getInt(8), info.getInt(16));
        }
    }

    /**
     * Reads the value of a key.
     *
     * @param value is filled; for a per-CPU map 8-byte-aligned values of all {@linkplain #possibleCpus() possible CPUs}
     * @return false when the key is not there
     */
    public static boolean lookup(int map, byte[] key, byte[] value) {
        return found("looking up a key", Libbpf.get().bpf_map_lookup_elem(map, key, value));
    }

    /** Sets the value of a key, whether it is there or not. */
    public static void update(int map, byte[] key, byte[] value) {
        checked("updating a key", Libbpf.get().bpf_map_update_elem(map, key, value, BPF_ANY));
    }

    /** Takes a key out; false when it was not there. */
    public static boolean delete(int map, byte[] key) {
        return found("deleting a key", Libbpf.get().bpf_map_delete_elem(map, key));
    }

    /**
     * The key after a key.
     *
     * @param key null for the first one, which is also what the kernel gives when this key is not there any more
     * @param next is filled
     * @return false at the end
     */
    public static boolean nextKey(int map, byte[] key, byte[] next) {
        return found("walking the keys", Libbpf.get().bpf_map_get_next_key(map, key, next));
    }

    /**
     * Maps an ARRAY made with {@code BPF_F_MMAPABLE} into memory.
     *
     * @param length bytes, at most {@link Integer#MAX_VALUE}
     */
    public static MappedMemory map(int map, long length) {
        if (length <= 0 || length > Integer.MAX_VALUE - PAGE) {
            throw new IllegalArgumentException("a mapping of " + length + " bytes is not possible: 1 to 2 GiB are");
        }
        long address = Libc.get().mmap(null, length, Libc.PROT_READ_WRITE, Libc.MAP_SHARED, map, 0);
        if (address == Libc.MAP_FAILED) {
            throw Errno.last("mapping a map into memory");
        }
        return new MappedMemory(new Pointer(address), length);
    }

    /** Attaches an XDP program to an interface of this thread's network namespace, as long as the link lives. */
    public static Descriptor attachXdp(int program, int interfaceIndex, XdpMode mode) {
        try (Memory options = options(16)) {
            options.setInt(8, mode.flag);
            return new Descriptor(checked("attaching XDP",
                    Libbpf.get().bpf_link_create(program, interfaceIndex, BPF_XDP, options)));
        }
    }

    /** Which XDP programs run on an interface of this thread's network namespace, whoever attached them. */
    public static XdpPrograms xdpPrograms(int interfaceIndex) {
        try (Memory options = options(32)) {
            checked("asking for the XDP programs of an interface",
                    Libbpf.get().bpf_xdp_query(interfaceIndex, 0, options));
            return new XdpPrograms(options.getInt(12), options.getInt(20));
        }
    }

    /** Replaces the program of a link, without a packet in between that no program sees. */
    public static void updateLink(int link, int program) {
        checked("replacing the program of a link", Libbpf.get().bpf_link_update(link, program, null));
    }

    /**
     * Takes the program of a link off its interface before this returns; closing or unpinning the link does so only when
     * the kernel comes round to it, and until then the interface is occupied. The link stays, attached to nothing.
     */
    public static void detachLink(int link) {
        checked("detaching a link", Libbpf.get().bpf_link_detach(link));
    }

    /**
     * Runs a program on a packet, without an interface.
     *
     * @param packet from the Ethernet header on, at least 14 bytes
     * @param repeat how often, at least 1
     */
    public static TestRun testRun(int program, byte[] packet, int repeat) {
        try (Memory options = options(80); Memory data = new Memory(packet.length)) {
            data.write(0, packet, 0, packet.length);
            options.setPointer(8, data);
            options.setInt(24, packet.length);
            options.setInt(60, repeat);
            checked("test-running a program", Libbpf.get().bpf_prog_test_run_opts(program, options));
            return new TestRun(options.getInt(56), options.getInt(64));
        }
    }

    /** How many CPUs this machine may ever have, which is how many values a key of a per-CPU map has. */
    public static int possibleCpus() {
        return checked("counting the possible CPUs", Libbpf.get().libbpf_num_possible_cpus());
    }

    /** Option structures of libbpf begin with their own size; what is not set is 0. */
    private static Memory options(int size) {
        Memory options = new Memory(size);
        options.clear();
        options.setLong(0, size);
        return options;
    }

    private static Memory info(String what, int descriptor, int size) {
        Memory info = new Memory(size);
        info.clear();
        try (Memory length = new Memory(Integer.BYTES)) {
            length.setInt(0, size);
            checked("asking what a " + what + " is", Libbpf.get().bpf_obj_get_info_by_fd(descriptor, info, length));
            return info;
        } catch (BpfException refused) {
            info.close();
            throw refused;
        }
    }

    /** The kernel describes a program just as well where it is asked for a map; its numbers would mean nothing. */
    private static void requireMap(int descriptor) {
        try {
            String kind = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
            if (!kind.equals("anon_inode:bpf-map")) {
                throw new BpfException("asking what a map is", "EINVAL", "this is no map but " + kind);
            }
        } catch (IOException gone) {
            throw new UncheckedIOException("cannot tell whether descriptor " + descriptor + " is a map", gone);
        }
    }

    private static String name(Memory info, int offset) {
        byte[] bytes = info.getByteArray(offset, 16);
        int length = 0;
        while (length < bytes.length && bytes[length] != 0) {
            length++;
        }
        return new String(bytes, 0, length, StandardCharsets.US_ASCII);
    }

    private static boolean found(String operation, int result) {
        return !Errno.ENOENT.is(result) && checked(operation, result) >= 0;
    }

    private static int checked(String operation, int result) {
        if (result < 0) {
            throw Errno.exception(operation, result);
        }
        return result;
    }
}
