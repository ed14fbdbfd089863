// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.Gate;
import io.flowbypass.maps.MapService;
import io.flowbypass.maps.Mapping;
import java.nio.file.Path;
import java.util.function.Consumer;

/** The memory that the product shares with XDP, for looking and meddling. */
public final class Memory {
    private Memory() {
    }

    /** Uses a map's memory. */
    public static void of(BpfMap map, Consumer<Mapping> use) {
        Gate gate = Services.waitFor(MapService.class).newGate();
        if (!gate.enter()) {
            throw new IllegalStateException("a new gate is closed");
        }
        try {
            use.accept(map.map(gate));
        } finally {
            gate.exit();
            gate.close();
        }
    }

    /** Uses the memory of a pinned map by its name. */
    public static void of(String map, Consumer<Mapping> use) {
        try (BpfMap pinned = Services.waitFor(MapService.class).open(Path.of(Product.PIN_ROOT, map))) {
            of(pinned, use);
        }
    }
}
