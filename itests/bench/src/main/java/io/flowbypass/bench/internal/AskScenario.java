// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.bench.internal;

import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.libbpf.Bpf;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * How long it takes from asking for a bypass to the first packet that is cut, through the service and through the control socket: one packet after the other of the flow goes through the
 * program (BPF_PROG_TEST_RUN) from when it was asked for, until one is dropped; what that one took is in the time.
 */
@Component
public final class AskScenario implements Scenario {
    private static final int FLOWS = 10_000;
    private static final int QUICK_FLOWS = 1000;
    private static final int TURNS = 7;
    private static final int QUICK_TURNS = 3;
    private static final String UNIT = "µs";
    private static final double NANOS_PER_MICRO = 1000;
    private static final double SERVICE_LIMIT = 1000;
    private static final double SOCKET_LIMIT = 5000;
    private static final int ANSWER_BYTES = 4096;
    private static final long PATIENCE_NANOS = 1_000_000_000;

    private final FlowTable table;

    /** Uses the service. */
    @Activate
    public AskScenario(@Reference FlowTable table) {
        this.table = table;
    }

    /**
     * A way to ask.
     *
     * @param title what it is called
     * @param limit the most microseconds that are good, of the median
     */
    private record Way(String title, double limit, Asking asking) {
    }

    /** Asks for the bypass of a flow. */
    private interface Asking {
        void ask(FlowKey key) throws IOException;

        /** Reads what it was answered. */
        default void answered() throws IOException {
        }
    }

    @Override
    public String name() {
        return "ask";
    }

    @Override
    public void run(Run run) throws IOException, InterruptedException {
        int flows = run.size("flows", FLOWS, QUICK_FLOWS);
        int turns = run.size("turns", TURNS, QUICK_TURNS);
        try (ProductCutter product = new ProductCutter(run, table);
                SocketChannel socket = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            socket.connect(UnixDomainSocketAddress.of(run.directory().resolve("ctl.sock")));
            measure(run, product, new Way("service", SERVICE_LIMIT, key -> table.bypass(BypassRequest.of(key))), flows, turns);
            measure(run, product, new Way("socket", SOCKET_LIMIT, new OverSocket(socket)), flows, turns);
            product.clear();
        }
    }

    private static void measure(Run run, ProductCutter product, Way way, int flows, int turns)
            throws IOException, InterruptedException {
        run.say("Measuring ask: " + way.title + " ...");
        List<Double> p50 = new ArrayList<>();
        List<Double> p99 = new ArrayList<>();
        List<Double> slowest = new ArrayList<>();
        // The first turn is to warm up.
        for (int turn = 0; turn <= turns; turn++) {
            product.clear();
            Histogram histogram = new Histogram();
            for (int i = 0; i < flows; i++) {
                histogram.add(ask(product, way, PacketScenario.FIRST_IN + i));
            }
            if (turn > 0) {
                p50.add(histogram.percentile(50) / NANOS_PER_MICRO);
                p99.add(histogram.percentile(99) / NANOS_PER_MICRO);
                slowest.add(histogram.greatest() / NANOS_PER_MICRO);
            }
        }
        run.limit(run.count(way.title + ", p50", UNIT, p50), way.limit);
        run.count(way.title + ", p99", UNIT, p99);
        run.count(way.title + ", slowest", UNIT, slowest);
    }

    private static long ask(ProductCutter product, Way way, int flow) throws IOException {
        FlowKey key = Family.IPV4.key(flow);
        byte[] packet = Family.IPV4.frame(flow);
        long begun = System.nanoTime();
        way.asking.ask(key);
        while (Bpf.testRun(product.program(), packet, 1).result() != PacketScenario.XDP_DROP) {
            if (System.nanoTime() - begun > PATIENCE_NANOS) {
                throw new IOException(String.format(Locale.ROOT, "Flowbypass is wrong: %s was asked for by the %s, and is not cut a"
                        + " second later.", key, way.title));
            }
        }
        long nanos = System.nanoTime() - begun;
        way.asking.answered();
        return nanos;
    }

    private record OverSocket(SocketChannel socket) implements Asking {
        @Override
        public void ask(FlowKey key) throws IOException {
            ByteBuffer line = StandardCharsets.UTF_8.encode("{\"op\":\"cut\",\"proto\":\"TCP\",\"src_ip\":\""
                    + key.source().getHostAddress() + "\",\"src_port\":" + key.sourcePort() + ",\"dest_ip\":\""
                    + key.destination().getHostAddress() + "\",\"dest_port\":" + key.destinationPort()
                    + ",\"origin\":\"zeek\",\"cookie\":\"CHhAvVGS1DHFjwGM9\"}\n");
            while (line.hasRemaining()) {
                socket.write(line);
            }
        }

        @Override
        public void answered() throws IOException {
            ByteBuffer answer = ByteBuffer.allocate(ANSWER_BYTES);
            do {
                if (socket.read(answer) < 0) {
                    throw new IOException("Flowbypass is wrong: it closed the control socket.");
                }
            } while (answer.get(answer.position() - 1) != '\n');
        }
    }
}
