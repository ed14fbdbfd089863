// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.Shell;
import org.junit.jupiter.api.Test;

/** {@code ./flowbypass run --migrate} as a user meets it. */
class MigrateCommandTest extends CommandLab {
    private static final String SETTINGS = "felix-config/target/flowbypass/etc/io.flowbypass.xdp.cfg";
    private static final String TABLE = "felix-config/target/flowbypass/etc/io.flowbypass.table.cfg";

    @Test
    void aChangedCapacityIsRefusedAndTheRefusalNamesTheOptionThatMigrates() throws Exception {
        try (Lab lab = new Lab()) {
            setCapacity(4096);
            Process first = start("./flowbypass", "run", "-i", lab.cableA());
            try (RemoteJmx jmx = connect()) {
                jmx.invoke("FlowTable", "bypass", "UDP", Lab.A, 5000, Lab.B, 6000);
                lab.senderA().send(5000, Lab.B, 6000, 30, 64);
                Jmx.eventually(() -> jmx.attribute("FlowTable", "BypassedPackets").equals(30L), "they are counted");
            }
            first.destroy();
            assertThat(end(first).status()).isZero();
            setCapacity(8192);
            refuses(flowbypass("run", "-i", lab.cableA()), "4096", "8192", "./flowbypass run --migrate");
            Process migrating = start("./flowbypass", "run", "-i", lab.cableA(), "--migrate");
            try (RemoteJmx jmx = connect()) {
                Jmx.eventually(() -> said("error").contains("drained"), "it is drained");
                assertThat(said("error")).contains("1 flows with 30 packets");
                assertThat(jmx.attribute("FlowTable", "Capacity")).isEqualTo(8192);
                assertThat(jmx.attribute("FlowTable", "ActiveFlows")).isEqualTo(0);
                Jmx.eventually(() -> !inside("ls /sys/fs/bpf/flowbypass").contains("old"), "the old pins are removed");
            }
            migrating.destroy();
            assertThat(end(migrating).status()).isZero();
            Process plain = start("./flowbypass", "run", "-i", lab.cableA());
            connect().close();
            plain.destroy();
            assertThat(end(plain).status()).isZero();
        }
    }

    @Test
    void offTakesAlsoWhatIsNotDrainedYet() throws Exception {
        try (Lab lab = new Lab()) {
            Shell.run("sed -i 's/^durable.listeners *=.*/durable.listeners = nobody/' " + directory + "/" + TABLE);
            setCapacity(4096);
            Process first = start("./flowbypass", "run", "-i", lab.cableA());
            try (RemoteJmx jmx = connect()) {
                jmx.invoke("FlowTable", "bypass", "UDP", Lab.A, 5000, Lab.B, 6000);
            }
            first.destroy();
            end(first);
            setCapacity(8192);
            start("./flowbypass", "run", "-i", lab.cableA(), "--migrate");
            connect().close();
            assertThat(inside("ls /sys/fs/bpf/flowbypass/old")).isEqualTo("config\ninfo\nrecords\n");
            Outcome off = flowbypass("off");
            assertThat(off.status()).as(off.toString()).isZero();
            assertThat(leftBehind()).isEqualTo("[]");
        }
    }

    private void setCapacity(int flows) {
        Shell.run("sed -i 's/^capacity *=.*/capacity = " + flows + "/' " + directory + "/" + SETTINGS);
    }

    private RemoteJmx connect() throws Exception {
        Jmx.eventually(() -> said("out").contains("jconsole"), "it runs");
        RemoteJmx jmx = new RemoteJmx(said("out").replaceFirst("(?s).*jconsole (\\d+).*", "$1"));
        Jmx.eventually(() -> jmx.isThere("FlowTable"), "the MBeans are there");
        return jmx;
    }
}
