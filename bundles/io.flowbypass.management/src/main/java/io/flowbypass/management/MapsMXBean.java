// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management;

import static javax.management.MBeanOperationInfo.INFO;

import java.util.List;

/** Access to BPF maps: {@code io.flowbypass:type=Maps}. Registered while the map service runs. */
@Description("The BPF maps that are open, and access to any map by name or pin path.")
public interface MapsMXBean {
    /** The open maps. */
    @Description("The maps that are open, whichever bundle opened them.")
    List<OpenMap> getOpenMaps();

    /** System calls on maps. */
    @Description(value = "System calls on maps since the map service started.", unit = "calls")
    long getCalls();

    /** System calls that failed. */
    @Description(value = "System calls on maps that failed with anything but \"not there\", \"there already\" or the end"
            + " of a walk.", unit = "calls")
    long getErrors();

    /** Calls and errors of each operation that was used. */
    @Description("System calls on maps and how many failed, for each operation that was used.")
    List<MapOperationCounts> getOperations();

    /**
     * The value of a key in hexadecimal digits; of a per-CPU map, one line for each CPU.
     *
     * @throws IllegalArgumentException when the key is not hexadecimal, or not of the map's size
     * @throws IllegalStateException when there is no such map, or the kernel refuses
     */
    @Description("Looks a key up and shows its value in hexadecimal digits; of a per-CPU map, one line for each CPU.")
    @Impact(INFO)
    String lookup(@Name("map") @Description("Name of a map that is open, or the path of any pin, such as /sys/fs/bpf/x.") String map,
            @Name("hexKey") @Description("The key's bytes in hexadecimal digits, in"
            + " the order in which they lie in the map: index 1 of an ARRAY is 01000000; spaces are ignored.")
            String hexKey);

    /**
     * Entries in hexadecimal digits, a line for each: the key, a colon and the value; of a per-CPU map, the values of all
     * CPUs. Entries that come and go meanwhile move the others to another place.
     *
     * @throws IllegalArgumentException when offset or limit is out of range
     * @throws UnsupportedOperationException when it has no keys
     * @throws IllegalStateException when there is no such map, or the kernel refuses
     */
    @Description("Shows entries in hexadecimal digits, a line for each: the key, a colon and the value; of a per-CPU map,"
            + " the values of all CPUs. Entries that come and go meanwhile move the others to another place.")
    @Impact(INFO)
    String dump(@Name("map") @Description("Name of a map that is open, or the path of any pin, such as /sys/fs/bpf/x.") String map,
            @Name("offset") @Description("Entries to skip, from 0.") int offset,
            @Name("limit") @Description("Entries to show at most, from 1 to 10000; 0 for 100.") int limit);
}
