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
import java.util.concurrent.TimeUnit;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * How long it takes from asking for a cut to the first packet that is cut: through the service, in this JVM, and through the
 * control socket. From the question on, packets of the flow are given to the program one by one, by BPF_PROG_TEST_RUN. One
 * asker, one question at a time, each about another flow.
 */
@Component
public final class AskScenario implements Scenario {
    private static final int QUESTIONS = 20_000;
    private static final int QUICK_QUESTIONS = 2_000;
    private static final int FIRST = 0xf0000000;
    private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final double MICROS = 1000;
    private static final String UNIT = "us";
    private static final int ANSWER_BYTES = 4096;

    private final FlowTable table;

    /** Uses the service. */
    @Activate
    public AskScenario(@Reference FlowTable table) {
        this.table = table;
    }

    @Override
    public String name() {
        return "ask";
    }

    /** Asks for a cut. */
    private interface Asker {
        void ask(FlowKey key) throws IOException;

        /** Reads what it was answered. */
        default void answered() throws IOException {
        }
    }

    @Override
    public void run(Run run) throws IOException, InterruptedException {
        int questions = run.size("questions", QUESTIONS, QUICK_QUESTIONS);
        run.say("Measuring ask: the first packet that is cut, through the service and through the socket ...");
        try (ProductCutter product = new ProductCutter(run, table);
                SocketChannel socket = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            socket.connect(UnixDomainSocketAddress.of(run.directory().resolve("ctl.sock")));
            measure(run, "service", 1000, product, questions, key -> table.bypass(BypassRequest.of(key)));
            measure(run, "socket", 5000, product, questions, new OverSocket(socket));
        }
    }

    private static void measure(Run run, String title, double limit, ProductCutter product, int questions, Asker asker)
            throws IOException, InterruptedException {
        List<Double> all = new ArrayList<>();
        // As many again before them, which do not count.
        for (int i = 0; i < 2 * questions; i++) {
            double micros = ask(asker, product.program(), FIRST + i % questions) / MICROS;
            if (i >= questions) {
                all.add(micros);
            }
            if (i == questions - 1) {
                product.clear();
            }
        }
        product.clear();
        all.sort(null);
        run.limit(title + ", p50", UNIT, all.get(all.size() / 2), limit);
        run.count(title + ", p99", UNIT, all.get(all.size() * 99 / 100));
    }

    private static double ask(Asker asker, int program, int flow) throws IOException {
        FlowKey key = Family.IPV4.key(flow);
        byte[] frame = Family.IPV4.frame(flow);
        long begun = System.nanoTime();
        asker.ask(key);
        while (Bpf.testRun(program, frame, 1).result() != PacketScenario.XDP_DROP) {
            if (System.nanoTime() - begun > LIMIT_NANOS) {
                throw new IOException("Flowbypass is wrong: " + key + " is not cut 10 s after that was asked for.");
            }
        }
        long nanos = System.nanoTime() - begun;
        asker.answered();
        return nanos;
    }

    private record OverSocket(SocketChannel socket) implements Asker {
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
