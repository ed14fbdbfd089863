// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.libbpf;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import io.flowbypass.libbpf.internal.Errno;
import io.flowbypass.libbpf.internal.Libbpf;
import io.flowbypass.libbpf.internal.Libc;
import java.nio.charset.StandardCharsets;
import java.util.function.Supplier;

/**
 * A BPF object file: opened, its maps resized or replaced by existing ones, then loaded. Not thread-safe.
 *
 * <p>Descriptors that it hands out are its own: valid until {@link #close()}, which keeps whatever is pinned or attached.
 */
public final class BpfObject implements AutoCloseable {
    private static final int WARN = 0;
    /** The kernel's log of a refused program has at most 16 MiB; only the pages that are written cost memory. */
    private static final int MESSAGE_LENGTH = 17 << 20;
    private static final int MESSAGE_TAIL = 4096;
    private static final StringBuilder MESSAGES = new StringBuilder();
    private static final Libbpf.Print CAPTURE = BpfObject::capture;

    private final String name;
    private final Memory image;
    private final Pointer object;
    private boolean closed;

    private BpfObject(String name, Memory image, Pointer object) {
        this.name = name;
        this.image = image;
        this.object = object;
    }

    /**
     * Opens an object file.
     *
     * @param name what to call it in messages
     * @param content the file, an ELF object made by clang for the target bpf
     * @throws BpfException when libbpf does not understand it, or is missing
     */
    public static BpfObject open(String name, byte[] content) {
        Libbpf libbpf = Libbpf.get();
        Memory image = new Memory(content.length);
        image.write(0, content, 0, content.length);
        Pointer object = quietly(() -> {
            Pointer opened = libbpf.bpf_object__open_mem(image, content.length, null);
            if (opened == null) {
                throw explained(Errno.last("opening " + name));
            }
            return opened;
        });
        return new BpfObject(name, image, object);
    }

    /** A map as the file, and {@link #resize}, describe it. */
    public MapDescription map(String map) {
        Pointer found = find(map);
        Libbpf libbpf = Libbpf.get();
        return new MapDescription(0, libbpf.bpf_map__type(found), map, libbpf.bpf_map__key_size(found),
                libbpf.bpf_map__value_size(found), libbpf.bpf_map__max_entries(found),
                libbpf.bpf_map__map_flags(found));
    }

    /** Sets how many entries a map will have; before {@link #load()}. */
    public void resize(String map, int maxEntries) {
        check("resizing the map " + map, Libbpf.get().bpf_map__set_max_entries(find(map), maxEntries));
    }

    /** Gives the constants of a section such as {@code .rodata.name} their values; before {@link #load()}. */
    public void setConstants(String section, byte[] values) {
        try (Memory memory = new Memory(values.length)) {
            memory.write(0, values, 0, values.length);
            check("setting the constants " + section,
                    Libbpf.get().bpf_map__set_initial_value(find(section), memory, values.length));
        }
    }

    /** Leaves a map out, which no program reaches by what its constants say; before {@link #load()}. */
    public void leaveOut(String map) {
        check("leaving out the map " + map, Libbpf.get().bpf_map__set_autocreate(find(map), (byte) 0));
    }

    /** Lets the programs use an existing map instead of a new one; before {@link #load()}. */
    public void reuse(String map, int descriptor) {
        check("reusing the map " + map, Libbpf.get().bpf_map__reuse_fd(find(map), descriptor));
    }

    /** Chooses a program for {@link #load()} that the file marks as optional ({@code SEC("?...")}). */
    public void choose(String program) {
        check("choosing the program " + program, Libbpf.get().bpf_program__set_autoload(findProgram(program), (byte) 1));
    }

    /** Whether a program was loaded by {@link #load()}. */
    public boolean isLoaded(String program) {
        return Libbpf.get().bpf_program__fd(findProgram(program)) >= 0;
    }

    /**
     * Creates the maps and loads the programs, the optional ones where they were chosen.
     *
     * @throws BpfException when the kernel refuses; where the verifier did, with the end of what it said
     */
    public void load() {
        quietly(() -> {
            int result = Libbpf.get().bpf_object__load(object);
            if (result < 0) {
                throw explained(Errno.exception("loading " + name, result));
            }
            return null;
        });
    }

    /** Descriptor of a map, after {@link #load()}. */
    public int mapDescriptor(String map) {
        return check("asking for the map " + map, Libbpf.get().bpf_map__fd(find(map)));
    }

    /** Descriptor of a program, after {@link #load()}. */
    public int programDescriptor(String program) {
        return check("asking for the program " + program, Libbpf.get().bpf_program__fd(findProgram(program)));
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            Libbpf.get().bpf_object__close(object);
            image.close();
        }
    }

    private Pointer findProgram(String program) {
        Pointer found = Libbpf.get().bpf_object__find_program_by_name(object, program);
        if (found == null) {
            throw Errno.last("looking for the program " + program + " in " + name);
        }
        return found;
    }

    private Pointer find(String map) {
        Pointer found = Libbpf.get().bpf_object__find_map_by_name(object, map);
        if (found == null) {
            throw Errno.last("looking for the map " + map + " in " + name);
        }
        return found;
    }

    private int check(String operation, int result) {
        if (result < 0) {
            throw Errno.exception(operation + " of " + name, result);
        }
        return result;
    }

    /**
     * Runs a call with libbpf's messages going to {@link #MESSAGES}; otherwise they go nowhere. The callback is taken back
     * at once: libbpf would call it after this class is gone.
     */
    private static <T> T quietly(Supplier<T> call) {
        synchronized (MESSAGES) {
            MESSAGES.setLength(0);
            Libbpf.get().libbpf_set_print(CAPTURE);
            try {
                return call.get();
            } finally {
                Libbpf.get().libbpf_set_print(null);
            }
        }
    }

    private static int capture(int level, Pointer format, Pointer arguments) {
        if (level == WARN) {
            try (Memory buffer = new Memory(MESSAGE_LENGTH)) {
                int length = Math.min(Libc.get().vsnprintf(buffer, MESSAGE_LENGTH, format, arguments),
                        MESSAGE_LENGTH - 1);
                int kept = Math.min(length, MESSAGE_TAIL);
                if (kept > 0) {
                    MESSAGES.append(new String(buffer.getByteArray(length - kept, kept), StandardCharsets.UTF_8));
                }
            }
        }
        return 0;
    }

    private static BpfException explained(BpfException refused) {
        String messages = MESSAGES.toString().strip();
        if (messages.isEmpty() || refused.is("EPERM") || refused.is("ENOMEM")) {
            return refused;
        }
        String end = messages.substring(Math.max(0, messages.length() - MESSAGE_TAIL));
        return new BpfException(refused.operation(), refused.error(), "libbpf and the verifier say:\n" + end);
    }
}
