// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management;

import javax.management.ConstructorParameters;

/** One configured interface, as {@link XdpMXBean#getInterfaces()} shows it. Immutable. */
public final class XdpInterface {
    private final String name;
    private final String mode;
    private final int programId;
    private final String tag;
    private final boolean attached;
    private final String problem;

    /** All of it. */
    @ConstructorParameters({"name", "mode", "programId", "tag", "attached", "problem"})
    public XdpInterface(String name, String mode, int programId, String tag, boolean attached, String problem) {
        this.name = name;
        this.mode = mode;
        this.programId = programId;
        this.tag = tag;
        this.attached = attached;
        this.problem = problem;
    }

    /** The interface's name. */
    public String getName() {
        return name;
    }

    /** "native" or "generic" once attached, what was asked for before. */
    public String getMode() {
        return mode;
    }

    /** Kernel id of the attached program; 0 when not attached. */
    public int getProgramId() {
        return programId;
    }

    /** Hexadecimal tag of the attached program; empty when not attached. */
    public String getTag() {
        return tag;
    }

    /** Whether XDP runs on it. */
    public boolean isAttached() {
        return attached;
    }

    /** Why XDP does not run on it, or not as configured, in a sentence; empty when all is well. */
    public String getProblem() {
        return problem;
    }
}
