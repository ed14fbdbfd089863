// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.libbpf;

import java.util.Map;

/**
 * A struct of C as type information (BTF) describes it. Immutable.
 *
 * @param name what C calls it, such as {@code struct flow}
 * @param members what it holds, by their names; bit fields, and members without a name, are left out
 */
public record StructDescription(String name, Map<String, Member> members) {
    /**
     * Where a member lies.
     *
     * @param offset of its first byte
     * @param size bytes; of an array, of all its elements
     */
    public record Member(int offset, int size) {
    }

    /** Copies the members. */
    public StructDescription {
        members = Map.copyOf(members);
    }
}
