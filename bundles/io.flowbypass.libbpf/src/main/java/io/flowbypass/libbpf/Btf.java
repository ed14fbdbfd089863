// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.libbpf;

import com.sun.jna.Pointer;
import io.flowbypass.libbpf.internal.Libbpf;

/** The kernel's type information of one map. */
final class Btf implements AutoCloseable {
    /** {@code BTF_KIND_*}: which of the named kinds C writes a word before. */
    private static final int STRUCT = 4;
    private static final int UNION = 5;
    private static final int ENUM = 6;
    private static final int ENUM64 = 19;

    private final Pointer btf;

    private Btf(Pointer btf) {
        this.btf = btf;
    }

    /** Type information by its id; null where it cannot be read: that needs more rights than the map itself. */
    static Btf load(int id) {
        Pointer btf = id == 0 ? null : Libbpf.get().btf__load_from_kernel_by_id(id);
        return btf == null ? null : new Btf(btf);
    }

    /** What C calls a type; empty for one that has no name. */
    String name(int type) {
        Pointer found = type == 0 ? null : Libbpf.get().btf__type_by_id(btf, type);
        if (found == null) {
            return "";
        }
        // struct btf_type { name_off; info: the kind in bits 24 to 28; ... }
        String name = Libbpf.get().btf__name_by_offset(btf, found.getInt(0));
        if (name == null || name.isEmpty()) {
            return "";
        }
        return switch (found.getInt(4) >> 24 & 0x1f) {
            case STRUCT -> "struct " + name;
            case UNION -> "union " + name;
            case ENUM, ENUM64 -> "enum " + name;
            default -> name;
        };
    }

    @Override
    public void close() {
        Libbpf.get().btf__free(btf);
    }
}
