// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.itests.lab.Capture;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.Lab;
import io.flowbypass.itests.lab.Sender;
import io.flowbypass.itests.lab.Shell;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * The JVM of a deployed Flowbypass is killed between any two steps of a flow's life, row by row of ARCHITECTURE.md's table, and
 * started again. Packets run before, while it is dead and after: each was seen by the monitor, or it is counted, once.
 */
class CrashTest extends CommandLab {
    private static final String TABLE = "io.flowbypass.table.internal.NativeTable";
    private static final String FLOWS = "io.flowbypass.table.internal.NativeFlowTable";
    private static final int SERVER_PORT = 6000;
    private static final int MARKER_PORT = 4999;
    private static final int PACKETS = 20;

    private Lab lab;
    private Sender a;
    private Sender b;
    private Capture behindA;
    private Capture behindB;
    private String jvm;
    private Debugger debugger;
    private RemoteJmx jmx;
    private long markers;
    private final List<String> expected = new ArrayList<>();

    /** What is done to the flow while the JVM is killed. */
    private enum Doing {
        BYPASS, RELEASE
    }

    /** What becomes of the flow. */
    private enum Then {
        /** It is not bypassed, and never was: no packet is cut. */
        NEVER_BYPASSED,
        /** It is bypassed. */
        ADOPTED,
        /** It has ended, with this record. */
        RECOVERED, RELEASED, RELEASED_TWICE
    }

    /** A place to be killed at: where a method begins, at its nth call. */
    private record Place(String after, Doing doing, String className, String method, String signature, int call, Then then) {
        @Override
        public String toString() {
            return "killed at " + doing + ", " + after;
        }
    }

    private static final List<Place> PLACES = List.of(
            new Place("info written", Doing.BYPASS, "io.flowbypass.table.internal.TableKey", "recordAddr", "(J)J", 1,
                    Then.NEVER_BYPASSED),
            new Place("CLAIMED stored", Doing.BYPASS, TABLE, "publish", "(ILio/flowbypass/table/internal/TableKey;)Z", 1,
                    Then.NEVER_BYPASSED),
            new Place("cell published", Doing.BYPASS, FLOWS, "isCutOffMeanwhile", "(I)Z", 1, Then.NEVER_BYPASSED),
            new Place("LIVE in one direction", Doing.BYPASS, TABLE, "setState", "(III)V", 2, Then.RECOVERED),
            new Place("end reason stored", Doing.RELEASE, TABLE, "setState", "(II)V", 1, Then.ADOPTED),
            new Place("CLOSING in one direction", Doing.RELEASE, TABLE, "setState", "(III)V", 2, Then.RELEASED),
            new Place("CLOSING stored", Doing.RELEASE, FLOWS, "close",
                    "(ILjava/lang/String;Ljava/util/concurrent/CompletableFuture;)V", 1, Then.RELEASED),
            new Place("cell cleared", Doing.RELEASE, "io.flowbypass.table.internal.Closer", "add",
                    "(Lio/flowbypass/table/internal/Closer$Closing;)V", 1, Then.RELEASED),
            new Place("grace over", Doing.RELEASE, FLOWS, "harvest", "(Ljava/util/List;)V", 1, Then.RELEASED),
            new Place("record delivered", Doing.RELEASE, FLOWS, "free", "(Ljava/util/List;)V", 1, Then.RELEASED_TWICE),
            new Place("HARVESTED stored", Doing.RELEASE, TABLE, "settle", "(I)V", 1, Then.RELEASED),
            new Place("base moved", Doing.RELEASE, TABLE, "setState", "(II)V", 3, Then.RELEASED));

    @Test
    void whereverTheJvmIsKilledNoPacketIsLostAndNoneIsCountedTwice() throws Exception {
        Path log = Files.createFile(directory.resolve("records"));
        Files.write(directory.resolve("log.jar"), Distribution.bundle("log", "io.flowbypass.flow,org.osgi.framework",
                RecordLog.class));
        Path table = directory.resolve("felix-config/target/flowbypass/etc/io.flowbypass.table.cfg");
        Files.writeString(table,
                Files.readString(table).replaceFirst("(?m)^durable.listeners =", "$0 " + RecordLog.NAME + ","));
        try (Lab made = new Lab()) {
            lab = made;
            a = lab.senderA();
            b = lab.senderB();
            behindA = lab.capture(lab.cableA());
            behindB = lab.capture(lab.cableB());
            startRun();
            int port = 5000;
            for (Place place : PLACES) {
                crash(place, port++);
            }
            // No record came later, of none of them; and no two have one id.
            assertThat(Files.readAllLines(log)).isEqualTo(expected);
            assertThat(expected.stream().distinct().map(line -> line.split(" ")[0])).doesNotHaveDuplicates();
            jmx.close();
        }
    }

    private void crash(Place place, int port) throws Exception {
        long cutBefore = cut();
        boolean wasBypassed = place.doing() == Doing.RELEASE;
        if (wasBypassed) {
            bypass(port);
            send(port);
        }
        debugger.stopAt(place.className(), place.method(), place.signature(), place.call());
        CompletableFuture<Void> doing = CompletableFuture.runAsync(() -> {
            try {
                jmx.invoke("FlowTable", place.doing() == Doing.BYPASS ? "bypass" : "release", "UDP", Lab.A, port, Lab.B,
                        SERVER_PORT);
            } catch (Exception killed) {
                // As it has to be.
            }
        });
        debugger.awaitStop();
        Shell.run("kill -9 " + jvm);
        doing.get(60, TimeUnit.SECONDS);
        send(port);
        startRun();
        send(port);
        awaitMarkers();

        boolean isBypassed = !String.valueOf(jmx.invoke("FlowTable", "find", "UDP", Lab.A, port, Lab.B, SERVER_PORT))
                .contains("not bypassed");
        assertThat(isBypassed).as(place.toString()).isEqualTo(place.then() == Then.ADOPTED);
        long sent = (wasBypassed ? 3 : 2) * PACKETS;
        long forward = sent - behindA.seen(port, SERVER_PORT);
        long reverse = sent - behindB.seen(SERVER_PORT, port);
        Jmx.eventually(() -> (Integer) jmx.attribute("FlowTable", "ActiveFlows") == (isBypassed ? 1 : 0), "it is settled");
        if (isBypassed) {
            assertThat(forward + reverse).as(place + ": cut, also while the JVM is dead").isEqualTo(2 * sent);
            jmx.invoke("FlowTable", "release", "UDP", Lab.A, port, Lab.B, SERVER_PORT);
        }
        Jmx.eventually(() -> cut() == cutBefore + forward + reverse, place + ": what was not seen is counted");
        assertThat(jmx.attribute("FlowTable", "UnaccountedPackets")).as(place.toString()).isEqualTo(0L);
        recordsAreThere(place, port, forward, reverse);
        Jmx.eventually(() -> jmx.attribute("FlowTable", "Occupancy").equals(0.0), place + ": each listener took its record");
    }

    private void recordsAreThere(Place place, int port, long forward, long reverse) throws Exception {
        if (place.then() == Then.NEVER_BYPASSED) {
            assertThat(forward + reverse).as(place + ": packets cut").isZero();
            return;
        }
        assertThat(forward + reverse).as(place + ": packets cut").isPositive();
        String reason = place.then() == Then.RECOVERED ? "RECOVERED" : "RELEASED";
        int times = place.then() == Then.RELEASED_TWICE ? 2 : 1;
        Jmx.eventually(() -> lines(port).size() >= times, place + ": its record is there");
        String id = lines(port).get(0).split(" ")[0];
        expected.addAll(Collections.nCopies(times, RecordLog.line(id, port, forward, reverse, reason)));
        assertThat(lines(port)).as(place.toString()).isEqualTo(Collections.nCopies(times, expected.get(expected.size() - 1)));
    }

    private List<String> lines(int port) throws IOException {
        return Files.readAllLines(directory.resolve("records")).stream()
                .filter(line -> line.split(" ")[1].equals(Integer.toString(port))).toList();
    }

    private void startRun() throws Exception {
        start("sh", "-c", "JAVA_TOOL_OPTIONS='" + Debugger.AGENT + " -D" + RecordLog.FILE + "=" + directory
                + "/records -Dfelix.auto.start.4=file:" + directory + "/log.jar' exec ./flowbypass run -i " + lab.cableA() + " -i "
                + lab.cableB() + " --mode native");
        Jmx.eventually(() -> said("out").contains("jconsole") && said("out").contains("Listening for transport"), "it starts");
        jvm = said("out").replaceFirst("(?s).*jconsole (\\d+).*", "$1");
        jmx = new RemoteJmx(jvm);
        Jmx.eventually(() -> jmx.isThere("Xdp") && jmx.isThere("FlowTable"), "the MBeans are there");
        debugger = new Debugger(said("out").replaceFirst("(?s).*Listening for transport dt_socket at address: (\\d+).*", "$1"));
    }

    private long cut() throws Exception {
        return (Long) jmx.attribute("FlowTable", "BypassedPackets");
    }

    private void bypass(int port) throws Exception {
        Jmx.eventually(() -> jmx.invoke("FlowTable", "bypass", "UDP", Lab.A, port, Lab.B, SERVER_PORT) != null, "bypassed");
    }

    private void send(int port) {
        a.send(port, Lab.B, SERVER_PORT, PACKETS, 1);
        b.send(SERVER_PORT, Lab.A, port, PACKETS, 1);
    }

    /** Lets the monitors see all that came before. */
    private void awaitMarkers() {
        a.send(MARKER_PORT, Lab.B, SERVER_PORT, 1, 1);
        b.send(SERVER_PORT, Lab.A, MARKER_PORT, 1, 1);
        markers++;
        Jmx.eventually(() -> behindA.seen(MARKER_PORT, SERVER_PORT) == markers
                && behindB.seen(SERVER_PORT, MARKER_PORT) == markers, "the monitors have seen all");
    }
}
