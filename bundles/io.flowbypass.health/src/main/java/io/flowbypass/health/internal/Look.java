// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.health.internal;

import io.flowbypass.flow.FlowTable;
import io.flowbypass.flow.TableStatistics;
import io.flowbypass.xdp.DataPlane;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.function.Function;
import org.apache.felix.hc.api.Result;
import org.apache.felix.hc.api.Result.Status;

/** Looks at a service, or says that it is not there. */
final class Look {
    private static final Logger LOG = System.getLogger(Look.class.getName());

    private Look() {
    }

    /** At the data plane, null where there is none. */
    static Result at(DataPlane dataPlane, Function<DataPlane, Result> look) {
        return dataPlane != null ? look.apply(dataPlane) : new Result(Status.CRITICAL,
                "no XDP program is loaded, so nothing is cut: look in the log for what io.flowbypass.xdp says");
    }

    /** At the numbers of the table, null where there is none. */
    static Result at(FlowTable table, Function<TableStatistics, Result> look) {
        if (table != null) {
            try {
                return look.apply(table.statistics());
            } catch (IllegalStateException leaving) {
                LOG.log(Level.DEBUG, "the table is just leaving", leaving);
            }
        }
        return new Result(Status.CRITICAL, "no flow table is running: look in the log for what io.flowbypass.table and"
                + " io.flowbypass.xdp say");
    }
}
