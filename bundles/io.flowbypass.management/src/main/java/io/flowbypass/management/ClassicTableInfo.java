// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management;

import javax.management.ConstructorParameters;

/** One table of another tool, as {@link ClassicMXBean#getTables()} shows it. Immutable. */
public final class ClassicTableInfo {
    private final String pin;
    private final String tool;
    private final int mapId;
    private final boolean made;
    private final int entries;
    private final long capacity;
    private final long packets;

    /** All of it. */
    @ConstructorParameters({"pin", "tool", "mapId", "made", "entries", "capacity", "packets"})
    public ClassicTableInfo(String pin, String tool, int mapId, boolean made, int entries, long capacity, long packets) {
        this.pin = pin;
        this.tool = tool;
        this.mapId = mapId;
        this.made = made;
        this.entries = entries;
        this.capacity = capacity;
        this.packets = packets;
    }

    /** Where it is pinned. */
    public String getPin() {
        return pin;
    }

    /** Whose it is. */
    public String getTool() {
        return tool;
    }

    /** The kernel's id of the map. */
    public int getMapId() {
        return mapId;
    }

    /** Whether Flowbypass made it, and not the tool. */
    public boolean isMade() {
        return made;
    }

    /** Entries that the last sweep found. */
    public int getEntries() {
        return entries;
    }

    /** Entries that it can hold. */
    public long getCapacity() {
        return capacity;
    }

    /** Packets in their values. */
    public long getPackets() {
        return packets;
    }
}
