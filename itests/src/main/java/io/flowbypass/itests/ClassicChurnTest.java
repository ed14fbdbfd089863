// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.classic.ClassicFlows;
import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.Decision;
import io.flowbypass.flow.Direction;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowSweeper;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.flow.SweepResult;
import io.flowbypass.itests.lab.ClassicClient;
import io.flowbypass.itests.lab.Crowd;
import io.flowbypass.itests.lab.Frame;
import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.OtherTools;
import io.flowbypass.itests.lab.Packets;
import io.flowbypass.itests.lab.Product;
import io.flowbypass.itests.lab.Records;
import io.flowbypass.itests.lab.Services;
import io.flowbypass.itests.lab.SweepsByHand;
import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.Codec;
import io.flowbypass.maps.MapService;
import io.flowbypass.maps.PerCpu;
import io.flowbypass.maps.TypedMap;
import io.flowbypass.xdp.DataPlane;
import io.flowbypass.xdp.Verdict;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The tables of other tools while the tools, XDP and several sweeps work on them at once. */
class ClassicChurnTest {
    private static final int UDP = 17;
    /** Numbers of flows, as the client has them. */
    private static final int STABLE = 2000;
    private static final int CHURNED = 100_000;
    private static final int CHURN = 20_000;
    private static final int CLIENT = 4000;
    private static final String SERVER = "192.0.2.1";
    private static final int SERVER_PORT = 5000;
    private static final Duration BUDGET = Duration.ofSeconds(30);
    private static final Decision END = Decision.end(EndReason.POLICY, "test");
    private static final int MIN_SWEEPS = 10;
    private static final int HALF_A_TABLE = 512;

    private Product product;
    private SweepsByHand sweeps;
    private OtherTools tools;
    private ClassicClient client;
    private FlowSweeper sweeper;
    private Records records;

    @BeforeEach
    void build() {
        product = new Product();
        sweeps = new SweepsByHand();
        tools = new OtherTools("libflowbypass 131072", 2);
        client = new ClassicClient("libflowbypass", OtherTools.BPFFS);
        sweeper = (FlowSweeper) Services.waitFor(ClassicFlows.class);
        records = new Records();
    }

    @AfterEach
    void takeDown() {
        if (records == null) {
            return;
        }
        records.close();
        tools.close();
        sweeps.close();
        product.close();
    }

    /** The client's number of a flow, whichever direction of it this is. */
    private static int number(FlowKey key) {
        return (int) (key.sourcePort() == CLIENT ? key.sourceLow() : key.destinationLow()) & 0xffffff;
    }

    private static byte[] frame(int number) {
        return Frame.ethernet().ipv4("10." + (number >> 16) + "." + (number >> 8 & 255) + "." + (number & 255), SERVER, UDP)
                .udp(CLIENT, SERVER_PORT).bytes();
    }

    @Test
    void everyEntryThatStaysIsSeenOnceInEverySweepWhileTheToolInsertsAndDeletesAndOnlyTheOthersAreTakenOut() {
        client.run("fill", "0", Integer.toString(STABLE));
        CompletableFuture<String> churn = CompletableFuture.supplyAsync(
                () -> client.run("churn", "3", Integer.toString(CHURNED), Integer.toString(CHURN)));
        int sweeps = 0;
        int ended = 0;
        while (!churn.isDone() || sweeps < MIN_SWEEPS) {
            int[] seen = new int[STABLE];
            SweepResult result = sweeper.sweep(flow -> {
                int number = number(flow.key());
                if (number < STABLE) {
                    seen[number]++;
                    return Decision.KEEP;
                }
                return number % 3 == 0 ? END : Decision.KEEP;
            }, BUDGET);
            assertThat(result.complete()).isTrue();
            // A flow is an entry in each direction.
            assertThat(seen).as("times that a sweep saw the flows that stay").containsOnly(2);
            ended += result.ended();
            sweeps++;
        }
        assertThat(churn.join()).contains("inserted");
        assertThat(ended).as("entries taken out in " + sweeps + " sweeps").isPositive();
        int all = ended;
        Jmx.eventually(() -> records.ended().size() == all, "each has a record");
        assertThat(records.ended()).allSatisfy(
                record -> assertThat(number(record.flow().key())).isGreaterThanOrEqualTo(CHURNED));
    }

    @Test
    void anEntryThatCountsAPacketAfterThePolicySawItStays() {
        client.run("fill", "0", "10");
        try (Packets packets = new Packets("program")) {
            SweepResult result = sweeper.sweep(flow -> {
                if (number(flow.key()) < 5 && flow.key().sourcePort() == CLIENT) {
                    packets.cutsClassic(frame(number(flow.key())));
                }
                return END;
            }, BUDGET);
            assertThat(result.woken()).isEqualTo(5);
            assertThat(result.ended()).isEqualTo(15);
            assertThat(sweeper.sweep(flow -> {
                assertThat(flow.packets(Direction.FORWARD)).isEqualTo(1);
                return Decision.KEEP;
            }, BUDGET).scanned()).isEqualTo(5);
        }
    }

    @Test
    void ofSeveralThatTakeAnEntryOutExactlyOneDoes() {
        int flows = 5000;
        client.run("fill", "0", Integer.toString(flows));
        AtomicInteger byTool = new AtomicInteger();
        AtomicInteger bySweeps = new AtomicInteger();
        AtomicInteger next = new AtomicInteger();
        try (BpfMap map = Services.waitFor(MapService.class).open(Path.of("/sys/fs/bpf/autocutoff/flow_table_v4"));
                Crowd crowd = new Crowd()) {
            TypedMap<byte[], PerCpu<byte[]>> entries = map.perCpu(Codec.bytes(16), Codec.bytes(24));
            crowd.add(() -> bySweeps.addAndGet(sweeper.sweep(flow -> END, BUDGET).ended()));
            crowd.add(() -> bySweeps.addAndGet(sweeper.sweep(flow -> END, BUDGET).ended()));
            crowd.add(() -> {
                int number = next.getAndIncrement();
                if (number < flows && entries.delete(key(number))) {
                    byTool.incrementAndGet();
                }
            });
            while (sweeper.activeFlows() > 0 || next.get() < flows) {
                crowd.check();
            }
        }
        assertThat(byTool.get() + bySweeps.get()).as("entries taken out, by the tool %d", byTool.get()).isEqualTo(2 * flows);
        Jmx.eventually(() -> records.ended().size() == bySweeps.get(), "each that a sweep took out has a record");
        assertThat(records.ended()).extracting(record -> record.flow().key().toString()).doesNotHaveDuplicates();
    }

    /** As {@code struct fb_classic_v4}. */
    private static byte[] key(int number) {
        ByteBuffer key = ByteBuffer.allocate(16).put((byte) 10).put((byte) (number >> 16)).putShort((short) number)
                .put(new byte[] {(byte) 192, 0, 2, 1}).putShort((short) CLIENT).putShort((short) SERVER_PORT);
        return key.order(ByteOrder.nativeOrder()).putInt(UDP).array();
    }

    /**
     * The same packets of the same flows, bypassed and taken out again all the time: by reading an entry and then deleting it,
     * by the kernel's lookup-and-delete, and in the native table. What XDP cut and nobody read is lost.
     */
    @Test
    void theNativeTableLosesNothingWhereTheseMapsLosePacketsBetweenReadingAndDeleting() throws Exception {
        try (BpfMap map = Services.waitFor(MapService.class).open(Path.of("/sys/fs/bpf/autocutoff/flow_table_v4"))) {
            TypedMap<byte[], PerCpu<byte[]>> entries = map.perCpu(Codec.bytes(16), Codec.bytes(24));
            PerCpu<byte[]> zero = PerCpu.same(new byte[24], Services.waitFor(MapService.class).possibleCpus());
            long byReading = lost(Verdict.CUT_CLASSIC, number -> {
                entries.update(key(number), zero);
                spin();
                long read = entries.lookup(key(number)).map(ClassicChurnTest::packets).orElse(0L);
                entries.delete(key(number));
                return read;
            });
            long atOnce = lost(Verdict.CUT_CLASSIC, number -> {
                entries.update(key(number), zero);
                spin();
                return entries.lookupAndDelete(key(number)).map(ClassicChurnTest::packets).orElse(0L);
            });
            FlowTable table = Services.waitFor(FlowTable.class);
            List<CompletableFuture<Optional<FlowRecord>>> released = new ArrayList<>();
            long nativeCut = lost(Verdict.CUT_DROPPED, number -> {
                FlowKey key = FlowKey.of(UDP, "10.0.0." + number, CLIENT, SERVER, SERVER_PORT);
                if (released.size() % HALF_A_TABLE == HALF_A_TABLE - 1) {
                    Jmx.eventually(() -> table.statistics().closingFlows() == 0, "slots are free again");
                }
                table.bypass(BypassRequest.of(key));
                spin();
                released.add(table.release(key));
                return 0L;
            });
            long recorded = 0;
            for (CompletableFuture<Optional<FlowRecord>> each : released) {
                recorded += each.get(10, TimeUnit.SECONDS).orElseThrow().flow().packets();
            }
            System.out.printf("lost under the same load: %d by read-then-delete, %d by lookup-and-delete, %d by the native table"
                    + " (of %d cut)%n", byReading, atOnce, nativeCut - recorded, nativeCut);
            assertThat(nativeCut).isPositive();
            assertThat(nativeCut - recorded).as("packets that the native table lost").isZero();
            // At once is wrong in either direction: a program that adds while the entry is set back brings packets back.
            assertThat(byReading).as("packets that reading and then deleting lost").isPositive();
        }
    }

    private static long packets(PerCpu<byte[]> value) {
        return value.sum(cpu -> ByteBuffer.wrap(cpu).order(ByteOrder.nativeOrder()).getLong(8));
    }

    /** Long enough for the other thread's packets. */
    private static void spin() {
        long until = System.nanoTime() + 20_000;
        while (System.nanoTime() < until) {
            Thread.onSpinWait();
        }
    }

    /** Packets of one flow cut, under a verdict, while it is taken out and in, less what that read. */
    private static long lost(Verdict verdict, Function<Integer, Long> takeOut) {
        DataPlane dataPlane = Services.waitFor(DataPlane.class);
        long before = dataPlane.verdicts().get(verdict).packets();
        long read = 0;
        try (Descriptor program = Bpf.open(Path.of(Product.PIN_ROOT, "program")); Crowd sender = new Crowd()) {
            byte[] packet = frame(1);
            sender.add(() -> program.run(number -> Bpf.testRun(number, packet, 20_000)));
            for (int round = 0; round < 3000; round++) {
                read += takeOut.apply(1);
            }
        }
        return dataPlane.verdicts().get(verdict).packets() - before - read;
    }
}
