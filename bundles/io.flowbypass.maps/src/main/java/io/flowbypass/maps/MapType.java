// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.maps;

/** The types of BPF maps that are of use here, with the kernel's numbers. */
public enum MapType {
    /** A type that this version does not know. */
    UNKNOWN(0, ""),
    /** {@code BPF_MAP_TYPE_HASH}. */
    HASH(1, "3.19"),
    /** {@code BPF_MAP_TYPE_ARRAY}. */
    ARRAY(2, "3.19"),
    /** {@code BPF_MAP_TYPE_PERCPU_HASH}. */
    PERCPU_HASH(5, "4.6"),
    /** {@code BPF_MAP_TYPE_PERCPU_ARRAY}. */
    PERCPU_ARRAY(6, "4.6"),
    /** {@code BPF_MAP_TYPE_LRU_HASH}. */
    LRU_HASH(9, "4.10"),
    /** {@code BPF_MAP_TYPE_LRU_PERCPU_HASH}. */
    LRU_PERCPU_HASH(10, "4.10"),
    /** {@code BPF_MAP_TYPE_LPM_TRIE}. */
    LPM_TRIE(11, "4.11"),
    /** {@code BPF_MAP_TYPE_ARRAY_OF_MAPS}. */
    ARRAY_OF_MAPS(12, "4.12"),
    /** {@code BPF_MAP_TYPE_DEVMAP}. */
    DEVMAP(14, "4.14"),
    /** {@code BPF_MAP_TYPE_QUEUE}. */
    QUEUE(22, "4.20"),
    /** {@code BPF_MAP_TYPE_STACK}. */
    STACK(23, "4.20"),
    /** {@code BPF_MAP_TYPE_DEVMAP_HASH}. */
    DEVMAP_HASH(25, "5.4"),
    /** {@code BPF_MAP_TYPE_RINGBUF}. */
    RINGBUF(27, "5.8");

    private final int number;
    private final String since;

    MapType(int number, String since) {
        this.number = number;
        this.since = since;
    }

    /** The kernel's number, 0 for {@link #UNKNOWN}. */
    public int number() {
        return number;
    }

    /** The first kernel version that has maps of this type: "5.8"; empty for {@link #UNKNOWN}. */
    public String since() {
        return since;
    }

    /** Whether a key has a value for each CPU. */
    public boolean isPerCpu() {
        return this == PERCPU_HASH || this == PERCPU_ARRAY || this == LRU_PERCPU_HASH;
    }

    /** The type with this number; {@link #UNKNOWN} when there is none here. */
    public static MapType ofNumber(int number) {
        for (MapType type : values()) {
            if (type.number == number) {
                return type;
            }
        }
        return UNKNOWN;
    }
}
