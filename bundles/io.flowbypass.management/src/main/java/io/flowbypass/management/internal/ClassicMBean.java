// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import io.flowbypass.classic.ClassicFlows;
import io.flowbypass.classic.ClassicTableState;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowState;
import io.flowbypass.management.ClassicMXBean;
import io.flowbypass.management.ClassicTableInfo;
import io.flowbypass.xdp.DataPlane;
import io.flowbypass.xdp.Verdict;
import io.flowbypass.xdp.VerdictCounts;
import java.util.List;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;

/** The MBean of the tables of other tools. Thread-safe. */
@Component(immediate = true, service = {})
public final class ClassicMBean extends DescribedMBean implements ClassicMXBean {
    private final ClassicFlows flows;
    private final DataPlane dataPlane;

    /** For these tables. */
    @Activate
    public ClassicMBean(@Reference ClassicFlows flows, @Reference DataPlane dataPlane) {
        super("Classic", ClassicMXBean.class);
        this.flows = flows;
        this.dataPlane = dataPlane;
    }

    @Activate
    void start() {
        register();
    }

    @Deactivate
    void stop() {
        unregister();
    }

    @Override
    public List<ClassicTableInfo> getTables() {
        return flows.tables().stream().map(table -> new ClassicTableInfo(table.pin().toString(), table.dialect().toString(),
                table.mapId(), table.made(), table.entries(), table.capacity(), table.packets())).toList();
    }

    @Override
    public int getActiveFlows() {
        return flows.tables().stream().mapToInt(ClassicTableState::entries).sum();
    }

    @Override
    public long getCutPackets() {
        return cut().packets();
    }

    @Override
    public long getCutBytes() {
        return cut().bytes();
    }

    private VerdictCounts cut() {
        return dataPlane.verdicts().get(Verdict.CUT_CLASSIC);
    }

    @Override
    public long getLivePackets() {
        return flows.tables().stream().mapToLong(ClassicTableState::packets).sum();
    }

    @Override
    public long getRecordedPackets() {
        return flows.recordedPackets();
    }

    @Override
    public String[] find(String protocol, String source, int sourcePort, String destination, int destinationPort) {
        return texts(flows.find(FlowKey.of(protocol, source, sourcePort, destination, destinationPort)));
    }

    @Override
    public String[] list(int offset, int limit) {
        return texts(flows.list(offset, limit(limit)));
    }

    private static String[] texts(List<FlowState> entries) {
        return entries.stream().map(FlowState::describe).toArray(String[]::new);
    }
}
