// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The health checks tell the truth about what runs. */
class HealthTest {
    private static final String[] CHECKS = {"attached", "lease", "table", "ledger", "parsed", "sweeps"};

    @TempDir
    Path directory;

    @Test
    void everyCheckIsOkWhileAllIsWellAndNamesWhatIsNot() throws Exception {
        try (Lab lab = new Lab()) {
            Distribution felix = new Distribution(directory).start();
            try {
                Jmx.eventually(() -> status("attached").equals("WARN"), "no interface is attached");
                Jmx.invoke("Xdp", "attach", lab.cableA(), "native");
                Jmx.eventually(() -> Arrays.stream(CHECKS).allMatch(check -> status(check).equals("OK")), "all is well");

                Jmx.setAttribute("Xdp", "Paused", true);
                Jmx.eventually(() -> status("lease").equals("WARN"), "it is paused");
                Jmx.setAttribute("Xdp", "Paused", false);
                Jmx.eventually(() -> status("lease").equals("OK"), "it is resumed");

                felix.bundle("io.flowbypass.expiry").stop();
                Jmx.eventually(() -> status("sweeps").equals("CRITICAL"), "expiry stopped");
                assertThat(status("table")).isEqualTo("OK");
                felix.bundle("io.flowbypass.xdp").stop();
                for (String check : CHECKS) {
                    Jmx.eventually(() -> status(check).equals("CRITICAL"), check + " without the data plane");
                }
            } finally {
                felix.close();
            }
        }
    }

    private static String status(String check) {
        return Jmx.isThere("Health,name=" + check) ? Jmx.attribute("Health,name=" + check, "Status").toString() : "none";
    }
}
