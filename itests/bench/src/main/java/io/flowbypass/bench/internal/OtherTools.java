// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.MapService;
import io.flowbypass.xdp.ClassicTable;
import io.flowbypass.xdp.ClassicTable.Content;
import io.flowbypass.xdp.DataPlane;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/** Lets Flowbypass use the tables of other tools, by its configuration. For one thread. */
final class OtherTools {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final long POLL_MILLIS = 20;
    private static final Set<Content> FLOWS = Set.of(Content.IPV4, Content.FLOWS);

    private final Run run;
    private final MapService maps;
    private final DataPlane dataPlane;
    private final Configurations configurations;

    OtherTools(Run run, MapService maps, DataPlane dataPlane, Configurations configurations) {
        this.run = run;
        this.maps = maps;
        this.dataPlane = dataPlane;
        this.configurations = configurations;
    }

    /** Uses those of one tool, which it makes, and pins another program for that; returns the map of the IPv4 flows. */
    BpfMap use(Tool tool, int entries) throws IOException, InterruptedException {
        configurations.set("io.flowbypass.xdp", "classic.tables", tool.setting(entries));
        await(tool.toString(), Tool.TABLES);
        ClassicTable flows = dataPlane.classicTables().stream().filter(table -> FLOWS.contains(table.content())).findFirst()
                .orElseThrow();
        if (!flows.made() || flows.map().info().capacity() != entries) {
            throw new IOException("The bench is wrong: it measures its own tables, and " + flows.pin() + " is another one.");
        }
        return flows.map();
    }

    /** Uses none any more, and frees their memory. */
    void useNone() throws IOException, InterruptedException {
        List<ClassicTable> used = dataPlane.classicTables();
        configurations.set("io.flowbypass.xdp", "classic.tables", "");
        await("no tool", 0);
        used.forEach(table -> run.classicPins(table.pin()).forEach(maps::unpin));
    }

    private void await(String whose, int tables) throws IOException, InterruptedException {
        long begun = System.nanoTime();
        while (dataPlane.classicTables().size() != tables) {
            if (System.nanoTime() - begun > PATIENCE.toNanos()) {
                throw new IOException(String.format("Flowbypass is wrong: it does not use the tables of %s %d s after it was"
                        + " configured to.", whose, PATIENCE.toSeconds()));
            }
            Thread.sleep(POLL_MILLIS);
        }
    }
}
