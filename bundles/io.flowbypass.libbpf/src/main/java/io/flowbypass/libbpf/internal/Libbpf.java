// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.libbpf.internal;

import com.sun.jna.Callback;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import io.flowbypass.libbpf.BpfException;

/**
 * The calls of libbpf 1.x that are needed; names, arguments and results are libbpf's. Those that return an int return a
 * negative error number; those that return a pointer return null and leave it in {@link Native#getLastError()}.
 */
public final class Libbpf {
    private static final String SONAME = "libbpf.so.1";
    private static final Libbpf INSTANCE = new Libbpf();
    /** Why it cannot be called; null when it can. */
    private static final String PROBLEM = load();

    /** {@code libbpf_print_fn_t}. */
    public interface Print extends Callback {
        /** The last argument is the C {@code va_list}, which all 64-bit ABIs pass by address. */
        int print(int level, Pointer format, Pointer arguments);
    }

    private Libbpf() {
    }

    /**
     * The library.
     *
     * @throws BpfException when it is not installed, or JNA itself does not work
     */
    public static Libbpf get() {
        Jna.required();
        if (PROBLEM != null) {
            throw new BpfException("loading " + SONAME, "ENOENT",
                    "install the package libbpf1 (Debian, Ubuntu) or libbpf (Fedora); the loader says: " + PROBLEM);
        }
        return INSTANCE;
    }

    private static String load() {
        if (!Jna.works()) {
            return null;
        }
        try {
            Native.register(Libbpf.class, SONAME);
        } catch (UnsatisfiedLinkError missing) {
            return Jna.said(missing);
        }
        INSTANCE.libbpf_set_print(null);
        return null;
    }

    public native Pointer libbpf_set_print(Print print);

    public native int libbpf_num_possible_cpus();

    public native int bpf_map_create(int type, String name, int keySize, int valueSize, int maxEntries, Pointer options);

    // Calls on entries take addresses as numbers: JNA passes those through, while it would copy an array twice.

    public native int bpf_map_lookup_elem_flags(int fd, long key, long value, long flags);

    public native int bpf_map_update_elem(int fd, long key, long value, long flags);

    public native int bpf_map_delete_elem(int fd, long key);

    public native int bpf_map_lookup_and_delete_elem_flags(int fd, long key, long value, long flags);

    public native int bpf_map_get_next_key(int fd, long key, long next);

    public native int bpf_map_lookup_batch(int fd, long in, long out, long keys, long values, long count, long options);

    public native int bpf_map_lookup_and_delete_batch(int fd, long in, long out, long keys, long values, long count,
            long options);

    public native int bpf_map_update_batch(int fd, long keys, long values, long count, long options);

    public native int bpf_map_delete_batch(int fd, long keys, long count, long options);

    public native int bpf_map_freeze(int fd);

    public native int bpf_map_get_next_id(int id, Pointer next);

    public native int bpf_map_get_fd_by_id(int id);

    public native int bpf_prog_get_fd_by_id(int id);

    public native Pointer btf__load_from_kernel_by_id(int id);

    public native Pointer btf__type_by_id(Pointer btf, int type);

    public native String btf__name_by_offset(Pointer btf, int offset);

    public native long btf__resolve_size(Pointer btf, int type);

    public native void btf__free(Pointer btf);

    public native int bpf_obj_get(String path);

    public native int bpf_obj_pin(int fd, String path);

    public native int bpf_obj_get_info_by_fd(int fd, Pointer info, Pointer length);

    public native int bpf_link_create(int program, int target, int attachType, Pointer options);

    public native int bpf_xdp_query(int interfaceIndex, int flags, Pointer options);

    public native int bpf_xdp_attach(int interfaceIndex, int program, int flags, Pointer options);

    public native int bpf_xdp_detach(int interfaceIndex, int flags, Pointer options);

    public native int bpf_link_update(int link, int program, Pointer options);

    public native int bpf_link_detach(int link);

    public native int bpf_prog_test_run_opts(int program, Pointer options);

    public native Pointer bpf_object__open_mem(Pointer image, long size, Pointer options);

    public native int bpf_object__load(Pointer object);

    public native void bpf_object__close(Pointer object);

    public native Pointer bpf_object__find_map_by_name(Pointer object, String name);

    public native Pointer bpf_object__find_program_by_name(Pointer object, String name);

    public native int bpf_map__type(Pointer map);

    public native int bpf_map__key_size(Pointer map);

    public native int bpf_map__value_size(Pointer map);

    public native int bpf_map__max_entries(Pointer map);

    public native int bpf_map__map_flags(Pointer map);

    public native int bpf_map__set_max_entries(Pointer map, int entries);

    public native int bpf_map__set_initial_value(Pointer map, Pointer data, long size);

    public native int bpf_map__set_autocreate(Pointer map, byte create);

    public native int bpf_map__reuse_fd(Pointer map, int fd);

    public native int bpf_map__fd(Pointer map);

    public native int bpf_program__fd(Pointer program);

    public native int bpf_program__set_autoload(Pointer program, byte autoload);
}
