// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.health.internal;

import org.apache.felix.hc.api.Result;
import org.apache.felix.hc.api.Result.Status;

/** The results where the service to look at is not there. */
final class Absent {
    private Absent() {
    }

    static Result dataPlane() {
        return new Result(Status.CRITICAL, "no XDP program is loaded, so nothing is cut: look in the log for what"
                + " io.flowbypass.xdp says");
    }

    static Result flowTable() {
        return new Result(Status.CRITICAL, "no flow table is running: look in the log for what io.flowbypass.table and"
                + " io.flowbypass.xdp say");
    }
}
