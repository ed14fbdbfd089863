// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import io.flowbypass.maps.Mapping;
import io.flowbypass.xdp.DataPlane;

/** The map {@code never}, which has room for two lists: the one in force is never written to. For one thread. */
final class NeverCutMap {
    private final Mapping memory;
    private final DataPlane dataPlane;
    private boolean second;

    NeverCutMap(Mapping memory, DataPlane dataPlane) {
        this.memory = memory;
        this.dataPlane = dataPlane;
    }

    /** Puts a list that fits into force; before the next one, programs that began before this returned must have ended. */
    void publish(NeverCut list) {
        int first = second ? Layout.NEVER : 0;
        for (int i = 0; i < list.entries().size(); i++) {
            list.entries().get(i).write(memory, first + i);
        }
        dataPlane.setNeverCut(first, list.entries().size());
        second = !second;
    }
}
