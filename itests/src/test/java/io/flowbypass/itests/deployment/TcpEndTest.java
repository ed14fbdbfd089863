// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.Root;
import io.flowbypass.itests.lab.Sender;
import io.flowbypass.itests.lab.Tap;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real TCP connections that are bypassed end by the policy tcp. */
class TcpEndTest {
    @TempDir
    Path directory;

    @Test
    void aConnectionThatWasResetEndsSoonAndOneThatIsOpenStays() throws Exception {
        Root.required();
        RecordKeeper.forget();
        Distribution felix = new Distribution(directory);
        try (Tap tap = new Tap(); Sender a = tap.senderA(); Sender b = tap.senderB()) {
            felix.start();
            felix.install("keeper", "io.flowbypass.flow,org.osgi.framework", RecordKeeper.class);
            Jmx.invoke("Xdp", "attach", tap.cable(), "native");
            Jmx.setAttribute("Policy,name=tcp", "ResetSeconds", 1);
            b.listen(6000);
            a.connect(5000, Lab.B, 6000);
            Jmx.invoke("FlowTable", "bypass", "TCP", Lab.A, 5000, Lab.B, 6000);
            a.talk(20);
            Jmx.invoke("Expiry", "sweepNow");
            assertThat(Jmx.attribute("FlowTable", "ActiveFlows")).as("an open connection").isEqualTo(1);
            a.abort();
            Jmx.eventually(() -> RecordKeeper.kept().stream().anyMatch(record -> record.contains(Lab.A + ":5000")
                    && record.contains("reason=TCP_RESET") && record.contains("detail=tcp")), "it ends, by the policy tcp");
            assertThat(Jmx.attribute("FlowTable", "UnaccountedPackets")).isEqualTo(0L);
        } finally {
            felix.close();
        }
    }
}
