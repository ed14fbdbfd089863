// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import java.io.IOException;

/** An XDP program with a table of flows whose packets it counts and drops. */
interface Cutter {
    /** What its figures are called. */
    String title();

    /** Descriptor of the program. */
    int program();

    /** Puts flows into the table that are not in it yet. */
    void add(Family family, int first, int count);

    /** Packets that it has cut so far, by the counters of the family's flows. */
    long cut(Family family) throws IOException;
}
