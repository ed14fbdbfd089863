// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management;

import javax.management.ConstructorParameters;

/** System calls of one operation on maps, as {@link MapsMXBean#getOperations()} shows them. Immutable. */
public final class MapOperationCounts {
    private final String operation;
    private final long calls;
    private final long errors;

    /** All of it. */
    @ConstructorParameters({"operation", "calls", "errors"})
    public MapOperationCounts(String operation, long calls, long errors) {
        this.operation = operation;
        this.calls = calls;
        this.errors = errors;
    }

    /** The operation, such as LOOKUP_BATCH. */
    public String getOperation() {
        return operation;
    }

    /** Calls made. */
    public long getCalls() {
        return calls;
    }

    /** Calls that failed with anything but "not there", "there already" or the end of a walk. */
    public long getErrors() {
        return errors;
    }
}
