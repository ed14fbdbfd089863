// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.libbpf;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import io.flowbypass.libbpf.internal.Errno;
import io.flowbypass.libbpf.internal.Libbpf;
import io.flowbypass.libbpf.internal.Libc;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.stream.Collectors;

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

    /** {@code BPF_ANY}: set a key's value whether it is there or not. */
    public static final long ANY = 0;
    /** {@code BPF_NOEXIST}: only where it is not there. */
    public static final long NOEXIST = 1;
    /** {@code BPF_EXIST}: only where it is there. */
    public static final long EXIST = 2;
    /** {@code BPF_F_LOCK}: hold the value's {@code bpf_spin_lock} meanwhile. */
    public static final long F_LOCK = 4;

    private static final int BPF_XDP = 37;
    private static final int XDP_FLAGS_UPDATE_IF_NOEXIST = 1;
    private static final int POLLIN = 1;
    /** Of a call that finds a map locked, each of which may wait for a quarter of a second. */
    private static final int ATTEMPTS = 8;
    /** More than a program of ours names. */
    private static final int MAPS_OF_A_PROGRAM = 64;

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

    /** Opens a program by its id, which needs CAP_SYS_ADMIN. */
    public static Descriptor openProgram(int id) {
        return new Descriptor(checked("opening the program with id " + id, Libbpf.get().bpf_prog_get_fd_by_id(id)));
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
            String keyType = "";
            String valueType = "";
            try (Btf btf = Btf.load(info.getInt(64))) {
                if (btf != null) {
                    keyType = btf.name(info.getInt(68));
                    valueType = btf.name(info.getInt(72));
                }
            }
            return new MapDescription(info.getInt(4), info.getInt(0), name(info, 24), info.getInt(8), info.getInt(12),
                    info.getInt(16), info.getInt(20), keyType, valueType);
        }
    }

    /**
     * The struct that a map's values are; of a map that is a section of an object file, that of its only variable.
     *
     * @return empty when they are none, or when the kernel tells no type: the map has no BTF, or this process may not read
     *         it (that needs CAP_SYS_ADMIN)
     * @throws BpfException when the descriptor is no map's
     */
    public static Optional<StructDescription> structOfValues(int map) {
        requireMap(map);
        try (Memory info = info("map", map, 88); Btf btf = Btf.load(info.getInt(64))) {
            return btf == null ? Optional.empty() : btf.struct(info.getInt(72));
        }
    }

    /** What the kernel says of a program. */
    public static ProgramDescription describeProgram(int program) {
        try (Memory ids = new Memory(MAPS_OF_A_PROGRAM * Integer.BYTES);
                Memory info = info("program", program, 232, asked -> {
                    // struct bpf_prog_info { ... nr_map_ids at 52; map_ids at 56; ... }
                    asked.setInt(52, MAPS_OF_A_PROGRAM);
                    asked.setLong(56, Pointer.nativeValue(ids));
                })) {
            return new ProgramDescription(info.getInt(4), HexFormat.of().formatHex(info.getByteArray(8, 8)),
                    name(info, 64), Arrays.stream(ids.getIntArray(0, Math.min(info.getInt(52), MAPS_OF_A_PROGRAM)))
                            .boxed().collect(Collectors.toUnmodifiableSet()));
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
     * @param flags 0 or {@link #F_LOCK}
     * @return false when the key is not there
     */
    public static boolean lookup(int map, NativeBuffer key, int keyOffset, NativeBuffer value, int valueOffset,
            long flags) {
        int result = Libbpf.get().bpf_map_lookup_elem_flags(map, key.address(keyOffset), value.address(valueOffset),
                flags);
        keep(key, value);
        return found("looking up a key", result);
    }

    /**
     * Sets the value of a key.
     *
     * @param flags {@link #ANY}, {@link #NOEXIST} or {@link #EXIST}, with {@link #F_LOCK} or without
     */
    public static void update(int map, NativeBuffer key, int keyOffset, NativeBuffer value, int valueOffset, long flags) {
        int result;
        int attempt = 0;
        do {
            result = Libbpf.get().bpf_map_update_elem(map, key.address(keyOffset), value.address(valueOffset), flags);
        } while (Errno.isTransient(result) && ++attempt < ATTEMPTS);
        keep(key, value);
        checked("updating a key", result);
    }

    /** Sets the value of a key, whether it is there or not. */
    public static void update(int map, byte[] key, byte[] value) {
        update(map, NativeBuffer.of(key), 0, NativeBuffer.of(value), 0, ANY);
    }

    /** Takes a key out; false when it was not there. */
    public static boolean delete(int map, NativeBuffer key, int keyOffset) {
        int result;
        int attempt = 0;
        do {
            result = Libbpf.get().bpf_map_delete_elem(map, key.address(keyOffset));
        } while (Errno.isTransient(result) && ++attempt < ATTEMPTS);
        keep(key, key);
        return found("deleting a key", result);
    }

    /** Takes a key out and fills in the value that it had last; false when it was not there. */
    public static boolean lookupAndDelete(int map, NativeBuffer key, int keyOffset, NativeBuffer value, int valueOffset,
            long flags) {
        int result;
        int attempt = 0;
        do {
            result = Libbpf.get().bpf_map_lookup_and_delete_elem_flags(map, key.address(keyOffset),
                    value.address(valueOffset), flags);
        } while (Errno.isTransient(result) && ++attempt < ATTEMPTS);
        keep(key, value);
        return found("looking up and deleting a key", result);
    }

    /**
     * The key after a key.
     *
     * @param key null for the first one, which is also what the kernel gives when this key is not there any more
     * @param next is filled
     * @return false at the end
     */
    public static boolean nextKey(int map, NativeBuffer key, int keyOffset, NativeBuffer next, int nextOffset) {
        int result = Libbpf.get().bpf_map_get_next_key(map, key == null ? 0 : key.address(keyOffset),
                next.address(nextOffset));
        keep(key, next);
        return found("walking the keys", result);
    }

    /**
     * Reads the next block of entries.
     *
     * @param started whether the cursor holds what an earlier call left there; otherwise this begins at the first entry
     * @param cursor of the key's size, at least 8 bytes; is moved on
     * @param keys is filled
     * @param values is filled
     * @param count one number of 4 bytes: how many entries fit; is set to how many were read, also when this throws
     * @param flags 0 or {@link #F_LOCK}
     * @return false when this was the last block
     * @throws BpfException with ENOSPC when a bucket has more entries than fit: nothing was read, the cursor stands
     */
    public static boolean lookupBatch(int map, boolean started, NativeBuffer cursor, NativeBuffer keys,
            NativeBuffer values, NativeBuffer count, long flags) {
        int asked = count.bytes().getInt(0);
        try (Memory options = batchOptions(flags)) {
            int result = Libbpf.get().bpf_map_lookup_batch(map, started ? cursor.address(0) : 0, cursor.address(0),
                    keys.address(0), values.address(0), count.address(0), address(options));
            keep(cursor, count);
            keep(keys, values);
            return found("looking up a block of keys", settled(result, count, asked));
        }
    }

    /** As {@link #lookupBatch}, and what was read is taken out of the map: also when this throws. */
    public static boolean lookupAndDeleteBatch(int map, boolean started, NativeBuffer cursor, NativeBuffer keys,
            NativeBuffer values, NativeBuffer count, long flags) {
        int asked = count.bytes().getInt(0);
        try (Memory options = batchOptions(flags)) {
            int result = Libbpf.get().bpf_map_lookup_and_delete_batch(map, started ? cursor.address(0) : 0,
                    cursor.address(0), keys.address(0), values.address(0), count.address(0), address(options));
            keep(cursor, count);
            keep(keys, values);
            return found("draining a block of keys", settled(result, count, asked));
        }
    }

    /**
     * Sets the values of a block of keys, whether they are there or not.
     *
     * @param count one number of 4 bytes: how many; is set to how many were written, also when this throws: the entry of
     *        that index is the one that was refused
     */
    public static void updateBatch(int map, NativeBuffer keys, int keyOffset, NativeBuffer values, int valueOffset,
            NativeBuffer count, long flags) {
        int asked = count.bytes().getInt(0);
        try (Memory options = batchOptions(flags)) {
            int result = Libbpf.get().bpf_map_update_batch(map, keys.address(keyOffset), values.address(valueOffset),
                    count.address(0), address(options));
            keep(keys, values);
            checked("updating a block of keys", settled(result, count, asked));
        }
    }

    /**
     * Takes a block of keys out. The kernel stops at the first one that is not there.
     *
     * @param count one number of 4 bytes: how many; is set to how many were taken out, also when this throws
     * @return false when the key of the index {@code count} was not there, and those after it were not looked at
     */
    public static boolean deleteBatch(int map, NativeBuffer keys, int keyOffset, NativeBuffer count) {
        int asked = count.bytes().getInt(0);
        int result = Libbpf.get().bpf_map_delete_batch(map, keys.address(keyOffset), count.address(0), 0);
        keep(keys, count);
        return found("deleting a block of keys", settled(result, count, asked));
    }

    /** Forbids user space all changes of a map from now on; programs go on changing it. */
    public static void freeze(int map) {
        checked("freezing a map", Libbpf.get().bpf_map_freeze(map));
    }

    /** Whether a map is frozen. */
    public static boolean isFrozen(int map) {
        try {
            return Files.readAllLines(Path.of("/proc/self/fdinfo/" + map)).stream()
                    .anyMatch(line -> line.replaceAll("\\s", "").equals("frozen:1"));
        } catch (IOException gone) {
            throw new UncheckedIOException("cannot tell whether descriptor " + map + " is a frozen map", gone);
        }
    }

    /** The next higher id of a map on this machine; empty after the last. The highest that may be asked for is 2^31 - 2. */
    public static OptionalInt nextMapId(int id) {
        try (Memory next = new Memory(Integer.BYTES)) {
            return found("looking for maps", Libbpf.get().bpf_map_get_next_id(id, next))
                    ? OptionalInt.of(next.getInt(0)) : OptionalInt.empty();
        }
    }

    /**
     * Maps a part of what a map shows of itself into memory.
     *
     * @param offset of its first byte, a multiple of the {@linkplain #pageSize() page size}
     * @param length bytes, at most {@link Integer#MAX_VALUE}
     * @param writable whether for writing too
     */
    public static MappedMemory map(int map, long offset, long length, boolean writable) {
        if (length <= 0 || length > Integer.MAX_VALUE - pageSize()) {
            throw new IllegalArgumentException("a mapping of " + length + " bytes is not possible: it has at least one byte and less than 2 GiB");
        }
        long address = Libc.get().mmap(null, length, writable ? Libc.PROT_READ_WRITE : Libc.PROT_READ, Libc.MAP_SHARED,
                map, offset);
        if (address == Libc.MAP_FAILED) {
            throw Errno.last("mapping a map into memory");
        }
        return new MappedMemory(new Pointer(address), length);
    }

    /** Bytes of a page of memory. */
    public static int pageSize() {
        return Libc.get().getpagesize();
    }

    /**
     * Waits until there is something to read, as in a RINGBUF.
     *
     * @param milliseconds at most so long
     * @return whether there is; a signal may end the wait early
     */
    public static boolean awaitReadable(int descriptor, int milliseconds) {
        try (Memory poll = new Memory(8)) {
            poll.setInt(0, descriptor);
            poll.setInt(4, POLLIN);
            int ready = Libc.get().poll(poll, 1, milliseconds);
            if (ready < 0) {
                BpfException failed = Errno.last("waiting for data");
                if (!failed.is("EINTR")) {
                    throw failed;
                }
            }
            return ready > 0;
        }
    }

    /** Attaches an XDP program to an interface of this thread's network namespace, as long as the link lives. */
    public static Descriptor attachXdp(int program, int interfaceIndex, XdpMode mode) {
        try (Memory options = options(16)) {
            options.setInt(8, mode.flag);
            return new Descriptor(checked("attaching XDP",
                    Libbpf.get().bpf_link_create(program, interfaceIndex, BPF_XDP, options)));
        }
    }

    /**
     * Attaches an XDP program to an interface of this thread's network namespace that has none in this mode. Without a link:
     * it stays until it is taken off.
     */
    public static void attachXdpWithoutLink(int program, int interfaceIndex, XdpMode mode) {
        checked("attaching XDP without a link",
                Libbpf.get().bpf_xdp_attach(interfaceIndex, program, mode.flag | XDP_FLAGS_UPDATE_IF_NOEXIST, null));
    }

    /**
     * Takes an XDP program that was attached without a link off an interface of this thread's network namespace.
     *
     * @param program a descriptor of the program, another one is left alone
     * @throws BpfException with EBUSY when a link attaches it
     */
    public static void detachXdpWithoutLink(int program, int interfaceIndex, XdpMode mode) {
        try (Memory options = options(16)) {
            options.setInt(8, program);
            checked("taking XDP off an interface", Libbpf.get().bpf_xdp_detach(interfaceIndex, mode.flag, options));
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
        return info(what, descriptor, size, nothing -> { });
    }

    /** What the kernel tells only where it is asked for it has to be in the structure before. */
    private static Memory info(String what, int descriptor, int size, Consumer<Memory> ask) {
        Memory info = new Memory(size);
        info.clear();
        ask.accept(info);
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

    /** {@code struct bpf_map_batch_opts}; null for none. */
    private static Memory batchOptions(long flags) {
        if (flags == 0) {
            return null;
        }
        Memory options = options(24);
        options.setLong(8, flags);
        return options;
    }

    private static long address(Memory memory) {
        return memory == null ? 0 : Pointer.nativeValue(memory);
    }

    /**
     * A batch that the kernel refuses before it looks at the first entry leaves the count as it was asked for. With any other
     * error the count is what it did, which may be all.
     */
    static int settled(int result, NativeBuffer count, int asked) {
        if (Errno.refusesTheCallItself(result) && count.bytes().getInt(0) == asked) {
            count.bytes().putInt(0, 0);
        }
        return result;
    }

    /** The memory of these is not freed before. */
    private static void keep(NativeBuffer one, NativeBuffer other) {
        Reference.reachabilityFence(one);
        Reference.reachabilityFence(other);
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
