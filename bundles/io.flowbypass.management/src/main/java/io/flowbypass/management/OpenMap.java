// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management;

import javax.management.ConstructorParameters;

/** One open BPF map, as {@link MapsMXBean#getOpenMaps()} shows it. Immutable. */
public final class OpenMap {
    private final int id;
    private final String name;
    private final String type;
    private final int keySize;
    private final int valueSize;
    private final long capacity;

    /** All of it. */
    @ConstructorParameters({"id", "name", "type", "keySize", "valueSize", "capacity"})
    public OpenMap(int id, String name, String type, int keySize, int valueSize, long capacity) {
        this.id = id;
        this.name = name;
        this.type = type;
        this.keySize = keySize;
        this.valueSize = valueSize;
        this.capacity = capacity;
    }

    /** The kernel's id. */
    public int getId() {
        return id;
    }

    /** The kernel's name. */
    public String getName() {
        return name;
    }

    /** The kernel's type, such as HASH. */
    public String getType() {
        return type;
    }

    /** Bytes of a key. */
    public int getKeySize() {
        return keySize;
    }

    /** Bytes of a value; of a per-CPU map, of one CPU's value. */
    public int getValueSize() {
        return valueSize;
    }

    /** Entries that it can hold. */
    public long getCapacity() {
        return capacity;
    }
}
