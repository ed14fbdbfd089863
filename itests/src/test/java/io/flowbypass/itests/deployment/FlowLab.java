// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.RunningFlow;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.management.openmbean.CompositeData;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** The distribution with XDP on both cables of a lab, where a bypassed flow runs in both directions. */
abstract class FlowLab {
    @TempDir
    Path directory;
    Distribution felix;
    RunningFlow running;
    private Lab lab;

    @BeforeEach
    void cutAFlowThatKeepsRunning() throws Exception {
        lab = new Lab();
        felix = new Distribution(directory).start();
        Jmx.invoke("Xdp", "attach", lab.cableA(), "native");
        Jmx.invoke("Xdp", "attach", lab.cableB(), "native");
        running = new RunningFlow(lab);
    }

    @AfterEach
    void takeDown() throws Exception {
        if (lab == null) {
            return;
        }
        try {
            felix.close();
        } finally {
            lab.close();
        }
    }

    /** Bypasses a flow without packets, that from this port. */
    static void bypass(int port) {
        Jmx.invoke("FlowTable", "bypass", "UDP", Lab.A, port, Lab.B, RunningFlow.OTHER_PORT);
    }

    /** Whether the flow from this port is bypassed. */
    static boolean isBypassed(int port) {
        return !String.valueOf(Jmx.invoke("FlowTable", "find", "UDP", Lab.A, port, Lab.B, RunningFlow.OTHER_PORT))
                .contains("not bypassed");
    }

    /** The active policies, in order. */
    static List<String> active() {
        return List.of(Jmx.attribute("Expiry", "ActivePolicies").toString().split(", "));
    }

    /** Returns after so many more sweeps. */
    static void awaitSweeps(int more) {
        long before = (Long) Jmx.attribute("Expiry", "Sweeps");
        Jmx.eventually(() -> (Long) Jmx.attribute("Expiry", "Sweeps") >= before + more, "sweeps go on");
    }

    /** Kernel ids of the programs on the attached interfaces. */
    static List<Object> programIds() {
        return Arrays.stream((CompositeData[]) Jmx.attribute("Xdp", "Interfaces"))
                .filter(row -> (Boolean) row.get("attached")).map(row -> row.get("programId")).toList();
    }
}
