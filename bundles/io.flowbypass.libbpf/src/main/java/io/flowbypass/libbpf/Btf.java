// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.libbpf;

import com.sun.jna.Pointer;
import io.flowbypass.libbpf.StructDescription.Member;
import io.flowbypass.libbpf.internal.Libbpf;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** The kernel's type information of one map. */
final class Btf implements AutoCloseable {
    /** {@code BTF_KIND_*}: which of the named kinds C writes a word before. */
    private static final int STRUCT = 4;
    private static final int UNION = 5;
    private static final int ENUM = 6;
    private static final int ENUM64 = 19;
    /** Those that lead to another type. */
    private static final int TYPEDEF = 8;
    private static final int VOLATILE = 9;
    private static final int CONST = 10;
    private static final int VARIABLE = 14;
    private static final int SECTION = 15;
    /** {@code struct btf_type { name_off; info; size or type; }}: what comes behind it. */
    private static final int BEHIND = 12;
    /** {@code struct btf_member { name_off; type; offset; }}. */
    private static final int MEMBER = 12;
    /** Types between a map's values and their struct, at the most. */
    private static final int STEPS = 8;

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
        return switch (kind(found)) {
            case STRUCT -> "struct " + name;
            case UNION -> "union " + name;
            case ENUM, ENUM64 -> "enum " + name;
            default -> name;
        };
    }

    /** The struct that a type is, or that the only variable of a section has; empty when it is none. */
    Optional<StructDescription> struct(int type) {
        int id = type;
        int base = 0;
        for (int step = 0; step < STEPS && id != 0; step++) {
            Pointer found = Libbpf.get().btf__type_by_id(btf, id);
            if (found == null) {
                break;
            }
            switch (kind(found)) {
                case STRUCT -> {
                    return Optional.of(new StructDescription(name(id), members(found, base)));
                }
                case TYPEDEF, VOLATILE, CONST, VARIABLE -> id = found.getInt(8);
                // struct btf_var_secinfo { type; offset; size; }
                case SECTION -> {
                    id = count(found) == 1 ? found.getInt(BEHIND) : 0;
                    base = found.getInt(BEHIND + 4);
                }
                default -> id = 0;
            }
        }
        return Optional.empty();
    }

    private Map<String, Member> members(Pointer struct, int base) {
        boolean mayHaveBitFields = struct.getInt(4) < 0;
        Map<String, Member> members = new HashMap<>();
        for (int i = 0; i < count(struct); i++) {
            int at = BEHIND + i * MEMBER;
            String name = Libbpf.get().btf__name_by_offset(btf, struct.getInt(at));
            long size = Libbpf.get().btf__resolve_size(btf, struct.getInt(at + 4));
            int bits = struct.getInt(at + 8);
            boolean isBitField = mayHaveBitFields ? bits >>> 24 != 0 : bits % Byte.SIZE != 0;
            if (name != null && !name.isEmpty() && size >= 0 && !isBitField) {
                members.put(name, new Member(base + bits / Byte.SIZE, (int) size));
            }
        }
        return members;
    }

    private static int kind(Pointer type) {
        return type.getInt(4) >> 24 & 0x1f;
    }

    private static int count(Pointer type) {
        return type.getInt(4) & 0xffff;
    }

    @Override
    public void close() {
        Libbpf.get().btf__free(btf);
    }
}
