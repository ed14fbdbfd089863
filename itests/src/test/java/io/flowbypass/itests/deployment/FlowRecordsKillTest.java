// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.Shell;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** The JVM of a deployed Flowbypass is killed while it writes the records of many flows. */
class FlowRecordsKillTest extends CommandLab {
    private static final int KILLS = 3;
    private static final int FLOWS = 1500;
    private static final int PACKETS = 3;
    private static final int FIRST_PORT = 10_000;

    private RemoteJmx jmx;
    private String jvm;

    @Test
    void noFlowIsWithoutItsRecordAndOneThatIsThereTwiceHasOneId() throws Exception {
        Path file = directory.resolve("felix-config/target/flowbypass/records/flows.json");
        try (Lab lab = new Lab(); var a = lab.senderA()) {
            for (int kill = 0; kill < KILLS; kill++) {
                startRun(lab);
                for (int port = first(kill); port < first(kill + 1); port++) {
                    jmx.invoke("FlowTable", "bypass", "UDP", Lab.A, port, Lab.B, 6000);
                }
                a.send(first(kill), Lab.B, 6000, PACKETS, 64);
                CompletableFuture<Object> flush = CompletableFuture.supplyAsync(() -> flush());
                awaitGrowth(file);
                Shell.run("kill -9 " + jvm);
                flush.join();
                // What a kill in the middle of a write leaves.
                Files.writeString(file, "{\"timestamp\":\"2026", StandardOpenOption.APPEND);
            }
            startRun(lab);
            Jmx.eventually(() -> RecordLines.areWhole(file), "the line that is not whole is taken away");
            Jmx.eventually(() -> idsByPort(file).size() == KILLS * FLOWS, "each flow has a record");
            Jmx.eventually(() -> jmx.attribute("FlowTable", "Occupancy").equals(0.0), "all records are taken");
            Map<Integer, String> ids = idsByPort(file);
            assertThat(ids.values()).as("ids").doesNotHaveDuplicates();
            for (int kill = 0; kill < KILLS; kill++) {
                for (JsonNode record : RecordLines.of(file, "end", first(kill))) {
                    assertThat(record.get("flow").get("bypassed").get("pkts_toserver").asInt()).isEqualTo(PACKETS);
                }
            }
            assertThat(RecordLines.areWhole(file)).as("the last line is whole").isTrue();
            jmx.close();
        }
    }

    private static int first(int kill) {
        return FIRST_PORT + kill * FLOWS;
    }

    private Object flush() {
        try {
            return jmx.invoke("FlowTable", "flush");
        } catch (Exception killed) {
            return killed;
        }
    }

    /** Busy: the next chunk is written within a millisecond. */
    private static void awaitGrowth(Path file) throws IOException {
        long before = Files.size(file);
        long end = System.nanoTime() + 60_000_000_000L;
        while (Files.size(file) == before) {
            assertThat(System.nanoTime() - end).as("the file does not grow").isNegative();
            Thread.onSpinWait();
        }
    }

    /** The id of each flow that has ended, by its port. Two records of one flow have the same. */
    private static Map<Integer, String> idsByPort(Path file) throws IOException {
        Map<Integer, String> ids = new HashMap<>();
        for (JsonNode record : RecordLines.of(file, "end")) {
            String id = record.get("id").asText();
            String known = ids.putIfAbsent(record.get("src_port").asInt(), id);
            assertThat(known == null ? id : known).as(record.toString()).isEqualTo(id);
        }
        return ids;
    }

    private void startRun(Lab lab) throws Exception {
        start("./flowbypass", "run", "-i", lab.cableA(), "--mode", "native");
        Jmx.eventually(() -> said("out").contains("jconsole"), "it starts");
        jvm = said("out").replaceFirst("(?s).*jconsole (\\d+).*", "$1");
        jmx = new RemoteJmx(jvm);
        Jmx.eventually(() -> jmx.isThere("Xdp") && jmx.isThere("FlowTable"), "the MBeans are there");
    }
}
