// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.BpfObject;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.MapService;
import java.io.IOException;

/** A program of a tool's own design, loaded. */
final class ToolDesign implements AutoCloseable {
    private final Tool tool;
    private final BpfObject object;
    private BpfMap flows;

    private ToolDesign(Tool tool, BpfObject object) {
        this.tool = tool;
        this.object = object;
    }

    /** Loads it, with room for so many entries in each of its maps. */
    static ToolDesign load(Run run, MapService maps, Tool tool, int entries) throws IOException {
        ToolDesign design = new ToolDesign(tool, run.object(tool.design()));
        try {
            tool.maps().forEach(map -> design.object.resize(map, entries));
            design.object.load();
            design.flows = maps.open(Bpf.describeMap(design.object.mapDescriptor(tool.maps().get(0))).id());
            return design;
        } catch (RuntimeException refused) {
            design.close();
            throw refused;
        }
    }

    /** Descriptor of the program. */
    int program() {
        return object.programDescriptor(tool.design());
    }

    /** Its map of flows. */
    BpfMap flows() {
        return flows;
    }

    @Override
    public void close() {
        if (flows != null) {
            flows.close();
        }
        object.close();
    }
}
