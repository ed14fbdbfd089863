// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.Decision;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowSweeper;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Product;
import io.flowbypass.itests.lab.Services;
import io.flowbypass.maps.CallCounts;
import io.flowbypass.maps.MapService;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The map-access service counts every system call on a map; the hot paths of the table make none. */
class NoSystemCallTest {
    private static final int FLOWS = 500;

    private Product product;

    @BeforeEach
    void build() {
        product = new Product();
    }

    @AfterEach
    void takeDown() {
        if (product != null) {
            product.close();
        }
    }

    @Test
    void bypassLookupListAndSweepWorkOnTheMappedTable() {
        FlowTable table = Services.waitFor(FlowTable.class);
        FlowSweeper sweeper = (FlowSweeper) Services.waitFor(FlowTable.class);
        MapService maps = Services.waitFor(MapService.class);
        Jmx.eventually(() -> table.statistics().closingFlows() == 0, "an earlier test's flows are gone");
        long before = calls(maps);
        for (int port = 1; port <= FLOWS; port++) {
            assertThat(table.bypass(BypassRequest.of(key(port)))).isTrue();
            assertThat(table.find(key(port))).isPresent();
        }
        assertThat(table.list(0, FLOWS)).hasSize(FLOWS);
        assertThat(sweeper.sweep(flow -> Decision.KEEP, Duration.ofSeconds(10)).scanned()).isEqualTo(FLOWS);
        // Housekeeping and the reader of notices make some meanwhile.
        assertThat(calls(maps) - before).as("system calls on maps").isLessThan(FLOWS / 10);

        table.statistics();
        assertThat(calls(maps) - before).as("reading the verdicts is one").isPositive();
    }

    private static long calls(MapService maps) {
        return maps.calls().values().stream().mapToLong(CallCounts::calls).sum();
    }

    private static FlowKey key(int port) {
        return FlowKey.of(17, "198.51.100.1", port, "198.51.100.2", 53);
    }
}
