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
    @Description(value = "System calls on maps that failed with anything but \"not there\".", unit = "calls")
    long getErrors();

    /**
     * The value of a key in hexadecimal digits; of a per-CPU map, one line for each CPU.
     *
     * @throws IllegalArgumentException when the key is not hexadecimal, or not of the map's size
     * @throws IllegalStateException when there is no such map, or the kernel refuses
     */
    @Description("Looks a key up and shows its value in hexadecimal digits; of a per-CPU map, one line for each CPU.")
    @Impact(INFO)
    String lookup(@Name("map") @Description("Name of an open map, or the path of a pin, such as /sys/fs/bpf/x.") String map,
            @Name("hexKey") @Description("The key in hexadecimal digits, in the map's byte order; spaces are ignored.")
            String hexKey);
}
