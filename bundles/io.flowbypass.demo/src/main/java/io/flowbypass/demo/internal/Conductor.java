// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.demo.internal;

import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.DirectionCounts;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowListener;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowState;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.flow.Origin;
import io.flowbypass.flow.TableFullException;
import io.flowbypass.flow.TableStatistics;
import io.flowbypass.xdp.Attachment;
import io.flowbypass.xdp.DataPlane;
import io.flowbypass.xdp.Verdict;
import io.flowbypass.xdp.VerdictCounts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;

/**
 * Conducts the demo: starts a capture and the conversations, bypasses the elephants, shows what happens, closes the
 * account, writes the report and stops the framework. Exists only where it is configured.
 */
@Component(service = FlowListener.class, immediate = true, property = FlowListener.NAME + "=demo",
        configurationPid = "io.flowbypass.demo", configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class Conductor implements FlowListener, Lane.Stage {
    private static final String ASKER = "demo";
    private static final int PACKETS_PER_SECOND = 10_000;
    private static final int ROOMY_SECONDS = 15;
    private static final long STEP_MILLIS = 100;
    private static final long SECOND_MILLIS = 1000;
    private static final long PATIENCE_MILLIS = 10_000;
    private static final long QUIET_MILLIS = 300;
    /** How long after its bypass nothing of an elephant may reach the capture. */
    private static final long GONE_MILLIS = 900;

    /** What {@code ./flowbypass demo} says. */
    @interface Config {
        /** The sensor's interface. */
        String sensor_interface();

        /** Seconds of traffic; 0 for no end. */
        int seconds();

        /** The client's network namespace, a file. */
        String client_namespace();

        /** The server's. */
        String server_namespace();

        /** Addresses of the client. */
        String client_ipv4();

        /** Addresses of the client. */
        String client_ipv6();

        /** Addresses of the server. */
        String server_ipv4();

        /** Addresses of the server. */
        String server_ipv6();

        /** The Java launcher. */
        String java();

        /** The jar of this bundle. */
        String jar();

        /** The demo ends early when this file is there. */
        String stop_file();

        /** Where the result goes, as JSON. */
        String report_file();
    }

    /** Counters at one moment. */
    private record Sample(long wire, long seen, long cut, long cutBytes) {
    }

    private final BundleContext context;
    private final FlowTable table;
    private final DataPlane dataPlane;
    private final Config config;
    private final Thread thread;
    private final List<String> troubles = new CopyOnWriteArrayList<>();
    private final Queue<FlowRecord> arrived = new ConcurrentLinkedQueue<>();
    private final Set<Elephant> talking = ConcurrentHashMap.newKeySet();
    private final List<Lane> lanes = new ArrayList<>();
    private volatile boolean over;
    private Talkers client;
    private String mode = "none";
    private long recordsTaken;
    private long packetsRecorded;
    private long flowsExpired;

    /** Begins the demo. */
    @Activate
    public Conductor(BundleContext context, @Reference FlowTable table, @Reference DataPlane dataPlane, Config config) {
        this.context = context;
        this.table = table;
        this.dataPlane = dataPlane;
        this.config = config;
        this.thread = new Thread(this::run, "flowbypass demo");
        report(Account.unfinished("The demo was ended before its account was closed."));
        thread.start();
    }

    /** Ends the demo, also in the middle. */
    @Deactivate
    void deactivate() throws InterruptedException {
        if (Thread.currentThread() != thread) {
            thread.interrupt();
            thread.join(PATIENCE_MILLIS);
        }
    }

    @Override
    public void ended(List<FlowRecord> records) {
        arrived.addAll(records);
    }

    private void run() {
        try {
            Account account = play();
            report(account);
            print(account);
        } catch (InterruptedException e) {
            report(Account.unfinished("The demo was ended before its account was closed."));
        } catch (IOException | RuntimeException e) {
            report(Account.unfinished(String.valueOf(e.getMessage())));
        } finally {
            stopFramework();
        }
    }

    private Account play() throws IOException, InterruptedException {
        awaitAttachment();
        try (Capture capture = Capture.start(config.sensor_interface())) {
            // Before the first packet: whatever the kernel itself sent as the interfaces came up is not counted.
            Sample first = awaitQuiet(capture);
            long begun = System.nanoTime();
            Talkers server = Talkers.start(config.java(), config.jar(), config.server_namespace(), "server");
            try {
                client = Talkers.start(config.java(), config.jar(), config.client_namespace(), "client",
                        config.server_ipv4(), config.server_ipv6());
                perform(capture);
            } finally {
                over = true;
                if (client != null) {
                    client.close();
                }
                server.close();
            }
            long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begun);
            return settle(capture, first, seconds);
        }
    }

    private void awaitAttachment() throws IOException, InterruptedException {
        Optional<Attachment> attached = Optional.empty();
        long deadline = deadline(PATIENCE_MILLIS);
        while (attached.isEmpty()) {
            if (System.nanoTime() > deadline) {
                throw new IOException("XDP did not come up on " + config.sensor_interface() + " in "
                        + PATIENCE_MILLIS / SECOND_MILLIS + " s: " + dataPlane.attachments());
            }
            Thread.sleep(STEP_MILLIS);
            attached = dataPlane.attachments().stream()
                    .filter(one -> one.attached() && one.interfaceName().equals(config.sensor_interface())).findAny();
        }
        mode = attached.get().mode();
        // Some kernels switch it on as XDP is attached; it would merge packets before the capture counts them.
        new ProcessBuilder("ethtool", "-K", config.sensor_interface(), "gro", "off").inheritIO().start().waitFor();
        say("XDP runs on %s, %s mode, program %d. A capture (tcpdump) listens behind it.", config.sensor_interface(), mode,
                attached.get().programId());
    }

    // --- the play

    private void perform(Capture capture) throws IOException, InterruptedException {
        lane(true, config.client_ipv4(), config.server_ipv4());
        lane(true, config.client_ipv6(), config.server_ipv6());
        lane(false, config.client_ipv4(), config.server_ipv4());
        lane(false, config.client_ipv6(), config.server_ipv6());
        long begun = System.nanoTime();
        long end = config.seconds() == 0 ? Long.MAX_VALUE : config.seconds() * SECOND_MILLIS;
        long shown = 0;
        Sample before = sample(capture);
        while (!over) {
            long now = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun);
            for (Lane lane : lanes) {
                lane.step(now, end - Lane.EXPIRY_MILLIS);
            }
            takeRecords();
            if (now - shown >= SECOND_MILLIS) {
                Sample after = sample(capture);
                show(now, now - shown, before, after);
                shown = now;
                before = after;
            }
            over = now >= end || Files.exists(Path.of(config.stop_file()));
            Thread.sleep(STEP_MILLIS);
        }
        lanes.forEach(Lane::fallSilent);
    }

    private void lane(boolean tcp, String from, String to) {
        long stagger = config.seconds() > 0 && config.seconds() < ROOMY_SECONDS ? 200 : 500;
        lanes.add(new Lane(this, lanes.size(), stagger * lanes.size(), tcp, from, to, PACKETS_PER_SECOND));
    }

    private void show(long now, long millis, Sample before, Sample after) {
        double seconds = (double) millis / SECOND_MILLIS;
        say("%4d s   wire %,9.0f/s   capture %,9.0f/s   cut %,9.0f/s   %d flows active, %d expired",
                Math.round((double) now / SECOND_MILLIS), (after.wire() - before.wire()) / seconds,
                (after.seen() - before.seen()) / seconds, (after.cut() - before.cut()) / seconds,
                table.statistics().activeFlows(), flowsExpired);
    }

    @Override
    public void begin(Elephant elephant) {
        talking.add(elephant);
        client.begin(elephant);
    }

    @Override
    public void end(Elephant elephant) {
        talking.remove(elephant);
        client.end(elephant);
    }

    @Override
    public void bypass(Elephant elephant, FlowKey key) {
        try {
            table.bypass(BypassRequest.of(key).withOrigin(Origin.OTHER).withAsker(ASKER).withRule("elephant"));
        } catch (TableFullException e) {
            troubles.add(key + " was not bypassed: " + e.getMessage());
            return;
        }
        Thread proof = new Thread(() -> prove(elephant, key), "flowbypass demo proof");
        proof.setDaemon(true);
        proof.start();
    }

    /** Proves that a bypassed elephant is gone from a capture of its own within a second, while it goes on. */
    private void prove(Elephant elephant, FlowKey key) {
        long deadline = deadline(GONE_MILLIS);
        try (Capture probe = Capture.start(config.sensor_interface(), "port", Integer.toString(elephant.clientPort()))) {
            // tcpdump also counts what it received before its filter was in force.
            long before = probe.received();
            long from = System.nanoTime();
            Optional<FlowState> early = table.find(key);
            TimeUnit.NANOSECONDS.sleep(Math.max(0, deadline - System.nanoTime()));
            // On a machine that stood still nothing was sent meanwhile.
            await(PATIENCE_MILLIS, () -> over || !talking.contains(elephant) || early.isEmpty()
                    || !table.find(key).equals(early));
            long seen = probe.received() - before;
            Optional<FlowState> late = table.find(key);
            double seconds = (System.nanoTime() - from) / 1e9;
            if (over || !talking.contains(elephant) || early.isEmpty() || late.isEmpty()) {
                return;
            }
            long cut = late.get().packets() - early.get().packets();
            if (seen > 0 || cut == 0) {
                troubles.add(key + " was bypassed, but a second later " + seen + " of its packets had been seen and "
                        + cut + " cut.");
            }
            say("bypassed %s: the capture sees %s of it any more, XDP cut %,d packets in the last %.1f s", key,
                    seen == 0 ? "nothing" : seen + " packets", cut, seconds);
            awaitConversation(elephant, key);
        } catch (IOException e) {
            troubles.add("The second capture, which shows that an elephant is gone, failed: " + e.getMessage());
        } catch (InterruptedException | IllegalStateException e) {
            // The demo is being stopped: there is nothing left to prove.
        }
    }

    /** Waits until the server has said twice that it received more: what lies between was sent after the bypass. */
    private void awaitConversation(Elephant elephant, FlowKey key) throws InterruptedException {
        for (int times = 0; times < 2; times++) {
            long received = client.confirmed(elephant);
            boolean more = await(PATIENCE_MILLIS,
                    () -> over || !talking.contains(elephant) || client.confirmed(elephant) > received);
            if (!more) {
                troubles.add(key + " did not go on after it was bypassed.");
                return;
            }
        }
    }

    private void takeRecords() {
        for (FlowRecord next = arrived.poll(); next != null; next = arrived.poll()) {
            FlowRecord taken = next;
            recordsTaken++;
            packetsRecorded += taken.flow().packets();
            if (taken.reason() != EndReason.RELEASED && taken.reason() != EndReason.FLUSHED) {
                flowsExpired++;
            }
            long confirmed = lanes.stream().flatMap(lane -> lane.ended(taken).stream())
                    .mapToLong(elephant -> client.confirmed(elephant)).sum();
            say("%s", describe(taken, confirmed));
        }
    }

    private static String describe(FlowRecord ended, long confirmed) {
        FlowState flow = ended.flow();
        String text = String.format(Locale.ROOT,
                "ended    %s, %s%s%n         cut %s one way, %s the other; from %s to %s; asked for by %s (%s)",
                flow.key(), ended.reason(), ended.detail().isEmpty() ? "" : " (" + ended.detail() + ")",
                counts(flow.forward()), counts(flow.reverse()), time(flow.firstSeen()), time(flow.lastSeen()),
                flow.asker().isEmpty() ? "nobody named" : flow.asker(), flow.rule().isEmpty() ? flow.origin() : flow.rule());
        return confirmed == 0 ? text
                : text + String.format(Locale.ROOT, "%n         its server received %,d bytes before and meanwhile", confirmed);
    }

    private static String counts(DirectionCounts counts) {
        return String.format(Locale.ROOT, "%,d packets, %,d bytes", counts.packets(), counts.bytes());
    }

    private static LocalTime time(Instant instant) {
        return LocalTime.ofInstant(instant, ZoneId.systemDefault()).truncatedTo(ChronoUnit.MILLIS);
    }

    // --- the account

    private Account settle(Capture capture, Sample first, long seconds) throws IOException, InterruptedException {
        int left = table.flush();
        if (left > 0) {
            say("%d flows were bypassed still and are taken out by hand.", left);
        }
        if (!await(PATIENCE_MILLIS, this::allRecordsTaken)) {
            troubles.add("Not every flow's record arrived.");
        }
        Sample last = awaitQuiet(capture);
        TableStatistics statistics = table.statistics();
        return new Account(seconds, System.getProperty("os.version"), mode, statistics.flowsAdded(), flowsExpired,
                statistics.flowsEnded(), statistics.activeFlows() + statistics.closingFlows(),
                last.wire() - first.wire(), last.seen() - first.seen(), capture.dropped(), last.cut() - first.cut(),
                last.cutBytes() - first.cutBytes(), packetsRecorded, statistics.unaccountedPackets(), troubles);
    }

    private boolean allRecordsTaken() {
        takeRecords();
        TableStatistics statistics = table.statistics();
        return statistics.activeFlows() == 0 && statistics.closingFlows() == 0
                && recordsTaken >= statistics.flowsEnded();
    }

    private Sample sample(Capture capture) throws IOException, InterruptedException {
        VerdictCounts cut = cut();
        long seen = capture.received();
        return new Sample(received(config.sensor_interface()), seen, cut.packets(), cut.bytes());
    }

    private VerdictCounts cut() {
        long packets = 0;
        long bytes = 0;
        for (Map.Entry<Verdict, VerdictCounts> entry : dataPlane.verdicts().entrySet()) {
            if (entry.getKey().isCut()) {
                packets += entry.getValue().packets();
                bytes += entry.getValue().bytes();
            }
        }
        return new VerdictCounts(packets, bytes);
    }

    /** Waits until no counter moves: two readings are the same only if no packet came between them. */
    private Sample awaitQuiet(Capture capture) throws IOException, InterruptedException {
        long deadline = deadline(PATIENCE_MILLIS);
        Sample before = sample(capture);
        while (true) {
            Thread.sleep(QUIET_MILLIS);
            Sample now = sample(capture);
            if (now.equals(before)) {
                return now;
            }
            if (System.nanoTime() > deadline) {
                throw new IOException("the tap does not fall quiet: " + before + ", then " + now);
            }
            before = now;
        }
    }

    /** Packets that an interface of this namespace received. On a veth pair with XDP: what reached XDP. */
    private static long received(String interfaceName) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/net/dev"))) {
            String[] columns = line.strip().split("[: ]+");
            if (columns[0].equals(interfaceName)) {
                return Long.parseLong(columns[2]);
            }
        }
        throw new IOException("interface " + interfaceName + " is gone");
    }

    private static boolean await(long millis, BooleanSupplier condition) throws InterruptedException {
        long deadline = deadline(millis);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                return false;
            }
            Thread.sleep(STEP_MILLIS / 2);
        }
        return true;
    }

    private static long deadline(long millis) {
        return System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    }

    // --- the result

    private void print(Account account) {
        say("%nThe account of %d s%n  packets on the wire    %,13d%n  seen by the capture    %,13d   (%,d of them it was too slow to take)"
                + "%n  cut by XDP             %,13d   (%,d bytes; %d flows bypassed, %d expired)%n  unaccounted for        %,13d%nResult: %s",
                account.seconds(), account.packetsTapped(), account.packetsSeen(), account.packetsDropped(),
                account.packetsCut(), account.bytesCut(), account.flowsBypassed(), account.flowsExpired(),
                account.packetsUnaccounted(), account.result());
    }

    private void report(Account account) {
        try {
            Path file = Path.of(config.report_file());
            Path draft = file.resolveSibling(file.getFileName() + ".new");
            Files.writeString(draft, account.json());
            Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException("The report could not be written: " + e.getMessage(), e);
        }
    }

    private void stopFramework() {
        try {
            context.getBundle(0).stop();
        } catch (BundleException | IllegalStateException e) {
            // It is being stopped already.
        }
    }

    private static void say(String format, Object... arguments) {
        System.out.println(String.format(Locale.ROOT, format, arguments));
    }
}
