// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.classic;

import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowState;
import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The flows in the tables of other tools. They are put in, and mostly taken out, by those tools; here one can look.
 * Thread-safe; every method asks the kernel.
 *
 * <p>Of libflowbypass and Suricata each direction of a flow is an entry of its own, and a state of its own here, with nothing
 * in its reverse direction. A pair of hosts of Zeek's has the protocol and the ports 0. When a flow was put in is not in these
 * tables: {@link FlowState#firstSeen()} is when a sweep saw it first, where its value has no time of the last packet; elsewhere
 * it is that time.
 */
@ProviderType
public interface ClassicFlows {
    /**
     * A page of the entries of all tables, in no particular order, which changes as entries come and go.
     *
     * @param offset how many entries to skip, at least 0
     * @param limit the most entries to return, 1 to 10000
     */
    List<FlowState> list(int offset, int limit);

    /** The entries of a flow: in all tables, of both directions, and those of its pair of hosts. */
    List<FlowState> find(FlowKey key);

    /** The tables, as the last sweep found them. */
    List<ClassicTableState> tables();

    /** Packets in the records of flows that were taken out of these tables here, since this service started. */
    long recordedPackets();
}
