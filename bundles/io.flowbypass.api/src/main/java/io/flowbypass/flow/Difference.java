// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

/**
 * A flow over which two tests decide differently.
 *
 * @param flow the flow, in the asker's direction
 * @param active what the active test decides
 * @param other what the other test decides
 */
public record Difference(FlowKey flow, Decision active, Decision other) {
    /** For people: the flow, and in a line below it what either decides. */
    public String describe() {
        return flow + "\n  active " + active + ", other " + other;
    }
}
