// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.BpfException;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.libbpf.Host;
import io.flowbypass.libbpf.LinkDescription;
import io.flowbypass.libbpf.ProgramDescription;
import io.flowbypass.libbpf.XdpPrograms;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.Codec;
import io.flowbypass.maps.PerCpu;
import io.flowbypass.maps.TypedMap;
import io.flowbypass.xdp.Attachment;
import io.flowbypass.xdp.ClassicTable;
import io.flowbypass.xdp.CutoffOutcome;
import io.flowbypass.xdp.DataPlane;
import io.flowbypass.xdp.OldTable;
import io.flowbypass.xdp.Verdict;
import io.flowbypass.xdp.VerdictCounts;
import io.flowbypass.xdp.XdpListener;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The data plane, loaded. Its resources belong to whoever loaded it. */
final class NativeDataPlane implements DataPlane {
    private static final Logger LOG = System.getLogger(NativeDataPlane.class.getName());
    static final int MIN_LEASE_SECONDS = 1;
    static final int MAX_LEASE_SECONDS = 86400;

    /** {@code struct fb_count} of flowbypass.h. */
    private static final Codec<VerdictCounts> VERDICT = new Codec<>() {
        @Override
        public int size() {
            return 2 * Long.BYTES;
        }

        @Override
        public VerdictCounts read(ByteBuffer from, int offset) {
            return new VerdictCounts(from.getLong(offset), from.getLong(offset + Long.BYTES));
        }

        @Override
        public void write(VerdictCounts counts, ByteBuffer to, int offset) {
            to.putLong(offset, counts.packets()).putLong(offset + Long.BYTES, counts.bytes());
        }
    };

    private final Pins pins;
    private final Map<String, BpfMap> maps;
    private final TypedMap<Integer, PerCpu<VerdictCounts>> verdicts;
    private final TypedMap<Integer, PerCpu<Long>> cutoffs;
    private final TypedMap<Integer, Integer> ports;
    private final Settings settings;
    private final Installation installation;
    /** Held while something is attached, and while the programs that are to be attached are replaced. */
    private final ReentrantLock attaching = new ReentrantLock();
    private volatile List<Descriptor> programs;
    private volatile Map<Integer, String> tags;
    private final int capacity;
    private final long tableId;
    private final long[] seeds;
    private final List<XdpInterface> interfaces = new CopyOnWriteArrayList<>();
    private final Map<String, XdpInterface> owners = new ConcurrentHashMap<>();
    private List<RedirectPort> redirectPorts = List.of();
    private boolean cutoffEnabled;
    private boolean cutoffAllowed;

    /**
     * All of it.
     *
     * @param programs the one for packets in one buffer; behind it, where the kernel can, the one for packets in several
     * @param installation whose they are
     */
    NativeDataPlane(Pins pins, Map<String, BpfMap> maps, Settings settings, List<Descriptor> programs,
            Installation installation) {
        this.pins = pins;
        this.maps = maps;
        this.verdicts = maps.get("verdicts").perCpu(Codec.INT, VERDICT);
        this.settings = settings;
        this.installation = installation;
        setPrograms(programs);
        this.cutoffs = maps.get("cutoffs").perCpu(Codec.INT, Codec.LONG);
        this.ports = maps.get("ports").typed(Codec.INT, Codec.INT);
        this.capacity = settings.capacity();
        this.tableId = settings.tableId();
        this.seeds = settings.seeds();
    }

    Pins pins() {
        return pins;
    }

    private void setPrograms(List<Descriptor> loaded) {
        programs = loaded;
        tags = loaded.stream().map(program -> Bpf.describeProgram(program.number()))
                .collect(Collectors.toUnmodifiableMap(ProgramDescription::id, ProgramDescription::tag));
    }

    /** Installs other programs. */
    interface Replacement {
        /** Puts them on the links that there are; returns them. */
        List<Descriptor> install() throws IOException;
    }

    /** Replaces the programs while nothing is attached. */
    void replacePrograms(Replacement replacement) throws IOException {
        attaching.lock();
        try {
            setPrograms(replacement.install());
        } finally {
            attaching.unlock();
        }
    }

    /** Held while something is attached with {@link #programs()}. */
    ReentrantLock attaching() {
        return attaching;
    }

    /** The programs that interfaces run: the one for packets in one buffer first. */
    List<Descriptor> programs() {
        return programs;
    }

    /** Whether one of these is a program of {@link #programs()}. */
    boolean isOurs(XdpPrograms attached) {
        return tags.containsKey(attached.nativeId()) || tags.containsKey(attached.genericId());
    }

    /**
     * Puts what the configuration says of redirects into force, and nothing when one of the interfaces is not there.
     *
     * @throws Refusal naming it
     */
    synchronized void setRedirectPorts(List<RedirectPort> wanted) throws Refusal {
        Map<Integer, Integer> interfaces = new HashMap<>();
        for (RedirectPort port : wanted) {
            interfaces.put(port.number(), InterfaceRules.index(port.interfaceName()));
        }
        for (int number = 0; number < RedirectPort.COUNT; number++) {
            if (!interfaces.containsKey(number)) {
                ports.delete(number);
            }
        }
        for (RedirectPort port : wanted) {
            settings.setDestination(port.number(), port.destination());
            ports.update(port.number(), interfaces.get(port.number()));
        }
        redirectPorts = wanted;
    }

    @Override
    public synchronized void lookAtRedirectPorts() {
        for (RedirectPort port : redirectPorts) {
            OptionalInt index = Host.interfaceIndex(port.interfaceName());
            if (index.isPresent() && !ports.lookup(port.number()).equals(Optional.of(index.getAsInt()))) {
                ports.update(port.number(), index.getAsInt());
                LOG.log(Level.INFO, "{0} is back, as interface {1,number,#}: port {2} leads to it again.", port.interfaceName(),
                        index.getAsInt(), port.number());
            }
        }
    }

    void setAllowed(List<ServicePort> allowed) {
        settings.setAllowed(allowed);
    }

    void setTracksVlans(boolean tracked) {
        settings.setTracksVlans(tracked);
    }

    /** Lists an interface among the attachments. */
    void add(XdpInterface configured) {
        interfaces.add(configured);
    }

    /** Puts pins back that are gone, and lets each interface look after itself; returns what listeners are to be told. */
    List<Consumer<XdpListener>> lookAround() {
        List<Consumer<XdpListener>> news = new ArrayList<>();
        List<String> missing = pins.missing();
        if (!missing.isEmpty() && missing.size() < Pins.MAPS.size() && isPinned(missing)) {
            missing.forEach(name -> Bpf.pin(maps.get(name).descriptor(), pins.map(name)));
            String what = String.join(", ", missing) + (missing.size() == 1 ? " was" : " were") + " unpinned from "
                    + pins.root() + " by other hands, and pinned again.";
            LOG.log(Level.WARNING, what);
            news.add(listener -> listener.repinned(what));
        }
        interfaces.forEach(each -> news.addAll(each.lookAfter()));
        return news;
    }

    /** Whether all of this table is pinned, and of no other one that was made in its place. */
    boolean isPinned() {
        return isPinned(List.of());
    }

    private boolean isPinned(List<String> but) {
        return Pins.MAPS.stream().filter(name -> !but.contains(name)).allMatch(name -> {
            try (Descriptor pinned = Bpf.open(pins.map(name))) {
                return Bpf.describeMap(pinned.number()).id() == maps.get(name).info().id();
            } catch (BpfException gone) {
                return false;
            }
        });
    }

    void remove(XdpInterface configured) {
        interfaces.remove(configured);
        owners.values().removeIf(owner -> owner == configured);
    }

    /** Gives the interface of that name to one configuration; false when another one has it. */
    boolean claim(String name, XdpInterface configured) {
        XdpInterface owner = owners.putIfAbsent(name, configured);
        return owner == null || owner == configured;
    }

    boolean owns(String name, XdpInterface configured) {
        return owners.get(name) == configured;
    }

    /** Gives it back; false when this configuration did not have it. */
    boolean disclaim(String name, XdpInterface configured) {
        return owners.remove(name, configured);
    }

    @Override
    public int capacity() {
        return capacity;
    }

    @Override
    public long tableId() {
        return tableId;
    }

    @Override
    public long[] seeds() {
        return seeds.clone();
    }

    @Override
    public BpfMap index() {
        return maps.get("index");
    }

    @Override
    public BpfMap records() {
        return maps.get("records");
    }

    @Override
    public BpfMap info() {
        return maps.get("info");
    }

    @Override
    public BpfMap reserve() {
        return maps.get("reserve");
    }

    @Override
    public BpfMap never() {
        return maps.get("never");
    }

    @Override
    public BpfMap events() {
        return maps.get("events");
    }

    @Override
    public List<ClassicTable> classicTables() {
        return installation.classicTables();
    }

    @Override
    public List<ClassicTable> lookAtClassicTables() {
        return installation.lookAtClassic();
    }

    @Override
    public Optional<OldTable> oldTable() {
        return installation.oldTable();
    }

    @Override
    public boolean tracksVlans() {
        return settings.tracksVlans();
    }

    @Override
    public boolean hasRedirectPort(int number) {
        return ports.lookup(number).isPresent();
    }

    @Override
    public void setNeverCut(int first, int count) {
        settings.setNeverCut(first, count);
    }

    @Override
    public synchronized void allowCutoff(boolean allowed) {
        cutoffAllowed = allowed;
        settings.setCutoff(cutoffAllowed && cutoffEnabled);
    }

    @Override
    public synchronized boolean cutoffEnabled() {
        return cutoffEnabled;
    }

    @Override
    public synchronized void setCutoffEnabled(boolean enabled) {
        cutoffEnabled = enabled;
        settings.setCutoff(cutoffAllowed && cutoffEnabled);
    }

    @Override
    public long cutoffPackets() {
        return settings.cutoffPackets();
    }

    @Override
    public void setCutoffPackets(long packets) {
        settings.setCutoffPackets(checked("threshold of packets", packets, MAX_CUTOFF_PACKETS));
    }

    @Override
    public long cutoffBytes() {
        return settings.cutoffBytes();
    }

    @Override
    public void setCutoffBytes(long bytes) {
        settings.setCutoffBytes(checked("threshold of bytes", bytes, MAX_CUTOFF_BYTES));
    }

    private static long checked(String what, long value, long most) {
        if (value < 0 || value > most) {
            throw new IllegalArgumentException("the " + what + " is " + value + ": it must be from 1 to " + most
                    + ", or 0 for none");
        }
        return value;
    }

    @Override
    public Map<CutoffOutcome, Long> cutoffs() {
        Map<CutoffOutcome, Long> counts = new EnumMap<>(CutoffOutcome.class);
        for (CutoffOutcome outcome : CutoffOutcome.values()) {
            counts.put(outcome, cutoffs.lookup(outcome.ordinal()).orElseThrow().reduce(Long::sum));
        }
        return counts;
    }

    @Override
    public void heartbeat() {
        settings.heartbeat();
    }

    @Override
    public long leaseAgeMillis() {
        return TimeUnit.NANOSECONDS.toMillis(settings.nanosSinceHeartbeat());
    }

    @Override
    public int leaseSeconds() {
        return settings.leaseSeconds();
    }

    @Override
    public void setLeaseSeconds(int seconds) {
        settings.setLeaseSeconds(checkedLease(seconds));
    }

    @Override
    public boolean paused() {
        return settings.paused();
    }

    @Override
    public void setPaused(boolean paused) {
        settings.setPaused(paused);
    }

    @Override
    public Map<Verdict, VerdictCounts> verdicts() {
        Map<Verdict, VerdictCounts> counts = new EnumMap<>(Verdict.class);
        for (Verdict verdict : Verdict.values()) {
            counts.put(verdict, verdicts.lookup(verdict.ordinal()).orElseThrow().reduce((one, other) ->
                    new VerdictCounts(one.packets() + other.packets(), one.bytes() + other.bytes())));
        }
        return counts;
    }

    @Override
    public List<Attachment> attachments() {
        return Stream.concat(interfaces.stream().map(XdpInterface::describe), orphans().stream()).toList();
    }

    /** Links of this network namespace that an earlier run left and no configuration owns. */
    List<Attachment> orphans() {
        return pins.linkedInterfaces().stream().filter(name -> !owners.containsKey(name)).map(this::orphan)
                .flatMap(Optional::stream).toList();
    }

    private Optional<Attachment> orphan(String name) {
        try {
            return new Link(pins.link(name)).describe().filter(link -> link.interfaceIndex() != 0)
                    .map(link -> attached(name, link, "No configuration: an earlier run left it, and it goes on cutting. "
                            + (Host.interfaceIndex(name).orElse(0) == link.interfaceIndex()
                            ? "Attach it again to keep it, or detach it."
                            : "Its interface has another name now: ./flowbypass off takes XDP off.")));
        } catch (BpfException refused) {
            return Optional.of(unknown(name, refused));
        }
    }

    /**
     * An attachment that the kernel shows. The tag is known of the own programs only: opening another one by its id needs
     * CAP_SYS_ADMIN.
     */
    Attachment attached(String name, LinkDescription link, String problem) {
        int id = link.programId();
        return new Attachment(name, Link.modeOf(link), id, tags.getOrDefault(id, ""), true, problem);
    }

    /** An attachment of which the kernel tells nothing. */
    static Attachment unknown(String name, BpfException refused) {
        return new Attachment(name, "", 0, "", false, "Whether XDP runs on it cannot be told: " + refused.getMessage());
    }

    static int checkedLease(int seconds) {
        if (seconds < MIN_LEASE_SECONDS || seconds > MAX_LEASE_SECONDS) {
            throw new IllegalArgumentException("the lease is " + seconds + " s: it must be from " + MIN_LEASE_SECONDS
                    + " to " + MAX_LEASE_SECONDS + " seconds");
        }
        return seconds;
    }
}
