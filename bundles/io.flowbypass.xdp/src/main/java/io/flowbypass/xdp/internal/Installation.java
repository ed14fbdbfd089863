// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.BpfException;
import io.flowbypass.libbpf.BpfObject;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.libbpf.Host;
import io.flowbypass.libbpf.LinkDescription;
import io.flowbypass.libbpf.MapDescription;
import io.flowbypass.libbpf.ProgramDescription;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.Gate;
import io.flowbypass.maps.MapInfo;
import io.flowbypass.maps.MapService;
import io.flowbypass.maps.MapType;
import io.flowbypass.xdp.ClassicDialect;
import io.flowbypass.xdp.ClassicTable;
import io.flowbypass.xdp.OldTable;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * The program and its maps, pinned: loaded for the first time, or found from an earlier run and adopted. Closing it lets go
 * of them in this process; pins and links stay, and XDP goes on.
 */
final class Installation implements AutoCloseable {
    private static final Logger LOG = System.getLogger(Installation.class.getName());
    private static final String PROGRAM = "flowbypass";
    private static final String FRAGS_PROGRAM = "flowbypass_frags";
    /** {@code BPF_F_RDONLY_PROG}. */
    private static final int READ_ONLY_FOR_PROGRAMS = 1 << 7;
    private static final long RETRY_NANOS = TimeUnit.MINUTES.toNanos(1);
    /** Maps of a program that are its own, and not pinned: its constants, and clock. */
    private static final int OWN_MAPS = 2;

    private final MapService service;
    private final ProgramFile file;
    private final Geometry geometry;
    private final Map<String, BpfMap> maps = new HashMap<>();
    /** The one for packets in one buffer; behind it, where the kernel can, the one for packets in several. */
    private List<Descriptor> programs = List.of();
    private final Closers closers = new Closers();
    /** What {@code maps} and settings hold. */
    private final Closers opened = new Closers();
    private Pins pins;
    private ClassicPins classic;
    private NativeDataPlane dataPlane;
    /** Null when there is none. */
    private MovedTable oldTable;
    /** When a program is loaded anew after the kernel refused one; monotonic ns. */
    private long tryAgain;
    private boolean closed;

    private Installation(MapService service, ProgramFile file, Geometry geometry) {
        this.service = service;
        this.file = file;
        this.geometry = geometry;
    }

    /**
     * Makes or adopts it.
     *
     * @param tools whose tables are to be used
     * @param migrate whether a table of another layout or capacity is moved aside, to be drained, and another one made
     * @throws Refusal with a sentence; nothing that was pinned is changed then
     */
    static Installation install(MapService service, ProgramFile file, Path root, Geometry geometry, int leaseSeconds,
            ClassicPins.Wanted tools, boolean migrate) throws Refusal {
        Installation installation = new Installation(service, file, geometry);
        try {
            // A library that is missing, or an object that is broken, is found before anything is made.
            BpfObject.open(ProgramFile.NAME, file.content()).close();
            installation.pins = Pins.in(root);
            installation.lock();
            installation.classic = new ClassicPins(service, root);
            installation.closers.add(installation.classic::close);
            installation.classic.want(tools);
            installation.install(leaseSeconds, migrate);
            return installation;
        } catch (Refusal | RuntimeException refused) {
            installation.close();
            throw refused;
        } catch (IOException failed) {
            installation.close();
            throw new Refusal("A pin in " + root + " cannot be changed: " + failed.getMessage() + ".", failed);
        } catch (LinkageError broken) {
            installation.close();
            throw new Refusal("Native code cannot be called: " + broken + ". Install Flowbypass and its JNA again.", broken);
        }
    }

    NativeDataPlane dataPlane() {
        return dataPlane;
    }

    @Override
    public synchronized void close() {
        closed = true;
        closers.close();
    }

    private void lock() throws Refusal {
        Descriptor lock = Host.lock(pins.root()).orElseThrow(() -> new Refusal("Another Flowbypass uses " + pins.root()
                + ": stop it first, or give one of the two another pin.root."));
        closers.add(lock::close);
    }

    private void install(int leaseSeconds, boolean migrate) throws Refusal, IOException {
        closers.add(opened::close);
        pins.resumeOld();
        if (pins.hasOld()) {
            setOldTable(MovedTable.open(service, pins.root(), pins::oldMap, this));
        }
        boolean adopted;
        Settings settings;
        try (Loaded loaded = loadOrMigrate(migrate)) {
            adopted = !maps.isEmpty();
            settings = adopted ? settings() : pinMaps(loaded.object, leaseSeconds);
            settings.setLeaseSeconds(leaseSeconds);
            // Until the table's owner has looked at what XDP took meanwhile, and lends new slots.
            settings.setCutoff(false);
            installPrograms(loaded);
        }
        if (oldTable != null) {
            oldTable.pause();
        }
        closers.add(() -> programs.forEach(Descriptor::close));
        ProgramDescription running = Bpf.describeProgram(programs.get(0).number());
        dataPlane = new NativeDataPlane(pins, Map.copyOf(maps), settings, programs, this);
        LOG.log(Level.INFO, "{0} the table of {1} flows at {2}, program {3}.", adopted ? "Adopted" : "Made",
                dataPlane.capacity(), pins.root(), running.tag());
    }

    /** The program, loaded: on the maps that are pinned, or on new ones, which are not among {@link #maps} yet. */
    private Loaded loadOrMigrate(boolean migrate) throws Refusal, IOException {
        try {
            adopt();
            return load();
        } catch (OtherTable other) {
            if (!migrate) {
                throw other;
            }
            opened.close();
            maps.clear();
            return loadBeside(other);
        }
    }

    /** The program on new maps; then the table that is pinned is moved aside. */
    private Loaded loadBeside(OtherTable other) throws Refusal, IOException {
        if (oldTable != null) {
            throw new Refusal(other.getMessage() + " It cannot be migrated yet: another one still waits in " + pins.root()
                    + "/old for durable listeners to take its records.");
        }
        setOldTable(MovedTable.open(service, pins.root(), pins::map, this));
        Loaded loaded = load();
        try {
            pins.moveAside();
            pins.removeRemains();
        } catch (IOException failed) {
            loaded.close();
            throw failed;
        }
        LOG.log(Level.INFO, "Moved the old table of {0} flows to {1}/old, until its records are taken.", oldTable.capacity(),
                pins.root());
        return loaded;
    }

    private void adopt() throws Refusal, IOException {
        if (!Files.exists(pins.map(Pins.CONFIG))) {
            pins.removeRemains();
            return;
        }
        checkConfig();
        List<String> missing = pins.missing();
        if (!missing.isEmpty()) {
            // Config is pinned last and unpinned first: this is no remains of ours.
            throw new OtherTable("Of the table pinned at " + pins.root() + " " + String.join(", ", missing) + " "
                    + (missing.size() == 1 ? "is" : "are") + " missing, by other hands or another version: end its bypasses,"
                    + " with ./flowbypass run --migrate, which makes records of them, or with ./flowbypass off.");
        }
        Pins.MAPS.stream().filter(name -> !name.equals(Pins.CONFIG)).forEach(this::open);
    }

    private void setOldTable(MovedTable table) {
        oldTable = table;
        closers.add(table::close);
    }

    synchronized Optional<OldTable> oldTable() {
        return Optional.ofNullable(oldTable);
    }

    /** Its records were taken. */
    synchronized void removeOldTable() {
        if (closed || oldTable == null) {
            return;
        }
        try {
            pins.removeOld();
        } catch (IOException failed) {
            LOG.log(Level.ERROR, "The pins in " + pins.root() + "/old cannot be removed: the next start tries it again.",
                    failed);
            return;
        }
        oldTable.close();
        oldTable = null;
    }

    /**
     * Lets XDP use the tables of these tools from now on.
     *
     * @throws Refusal when the kernel refuses the program; what was in force stays
     */
    synchronized void useClassic(ClassicPins.Wanted tools) throws Refusal {
        ClassicPins.Wanted before = classic.want(tools);
        try {
            loadAnew();
        } catch (Refusal | RuntimeException refused) {
            classic.want(before);
            throw refused;
        }
    }

    /** The tools' tables that are in use, after a look at what their tools did to them. */
    synchronized List<ClassicTable> lookAtClassic() {
        if (!closed && System.nanoTime() - tryAgain >= 0 && classic.hasChanged()) {
            try {
                loadAnew();
            } catch (Refusal refused) {
                tryAgain = System.nanoTime() + RETRY_NANOS;
                LOG.log(Level.ERROR, "XDP goes on with the tables of other tools that it had. {0}", refused.getMessage());
            }
        }
        return classic.tables();
    }

    synchronized List<ClassicTable> classicTables() {
        return classic.tables();
    }

    /** The program on the same maps of ours, with the tools' tables as they are now; then on each link, atomically. */
    private void loadAnew() throws Refusal {
        if (closed) {
            throw new Refusal("The data plane is gone.");
        }
        try (Loaded loaded = load()) {
            List<Descriptor> before = programs;
            dataPlane.replacePrograms(() -> {
                installPrograms(loaded);
                return programs;
            });
            before.forEach(Descriptor::close);
        } catch (IOException | BpfException failed) {
            throw new Refusal("The program cannot be loaded anew: " + failed.getMessage(), failed);
        }
    }

    /** An object in the kernel, and the tools' tables that it uses. */
    private record Loaded(BpfObject object, ClassicPins.Prepared classic) implements AutoCloseable {
        @Override
        public void close() {
            classic.close();
            object.close();
        }
    }

    /** The object, loaded; a tool whose tables the kernel does not let it use, or whose maps it does not make, is left out. */
    private Loaded load() throws Refusal {
        List<Set<ClassicDialect>> attempts = new ArrayList<>(List.of(Set.of()));
        Set<ClassicDialect> wanted = classic.dialects();
        wanted.forEach(dialect -> attempts.add(EnumSet.of(dialect)));
        if (wanted.size() > 1) {
            attempts.add(wanted);
        }
        BpfException first = null;
        for (Set<ClassicDialect> without : attempts) {
            try {
                Loaded loaded = load(without);
                if (first != null) {
                    LOG.log(Level.ERROR, "Not in force, of classic.tables: {0}. {1}", without, first.getMessage());
                }
                return loaded;
            } catch (BpfException refused) {
                first = first == null ? refused : first;
            }
        }
        throw first;
    }

    /** With the program for packets in several buffers where this kernel can (Linux 5.18). */
    private Loaded load(Set<ClassicDialect> without) throws Refusal {
        Loaded loaded = prepare(without);
        try {
            loaded.object.choose(FRAGS_PROGRAM);
            loaded.object.load();
            return loaded;
        } catch (BpfException refused) {
            loaded.close();
            LOG.log(Level.DEBUG, "the program for packets in several buffers was refused", refused);
        }
        loaded = prepare(without);
        try {
            loaded.object.load();
            LOG.log(Level.INFO, "This kernel has no XDP for packets in several buffers: a large MTU needs generic mode.");
            return loaded;
        } catch (BpfException refused) {
            loaded.close();
            throw refused;
        }
    }

    /** The object, opened: with the maps that are pinned, or sizes for new ones. */
    private Loaded prepare(Set<ClassicDialect> without) throws Refusal {
        BpfObject object = BpfObject.open(ProgramFile.NAME, file.content());
        try {
            object.resize("index", geometry.buckets());
            object.resize("tracker", geometry.buckets());
            object.resize("records", geometry.records());
            object.resize("info", geometry.capacity());
            for (Map.Entry<String, BpfMap> pinned : maps.entrySet()) {
                check(pinned.getValue().info(), object.map(ProgramFile.map(pinned.getKey())));
                object.reuse(ProgramFile.map(pinned.getKey()), pinned.getValue().descriptor());
            }
            return new Loaded(object, classic.prepare(object, without));
        } catch (Refusal | RuntimeException refused) {
            object.close();
            throw refused;
        }
    }

    /** Whether the maps are those of this version and capacity. */
    private void checkConfig() throws Refusal {
        int size = open(Pins.CONFIG).info().valueSize();
        if (size != Settings.SIZE) {
            throw otherLayout("a config of " + size + " bytes", Settings.SIZE + " bytes");
        }
        Settings settings = settings();
        if (settings.abiHash() != file.abiHash()) {
            throw otherLayout("ABI hash " + hexadecimal(settings.abiHash()), hexadecimal(file.abiHash()));
        }
        if (settings.capacity() != geometry.capacity()) {
            throw new OtherTable("The table pinned at " + pins.root() + " holds " + settings.capacity() + " flows, but"
                    + " capacity is " + geometry.capacity() + ": set it back to " + settings.capacity() + ", or end its"
                    + " bypasses: with ./flowbypass run --migrate, which makes records of them, or with ./flowbypass off.");
        }
    }

    private Settings pinMaps(BpfObject object, int leaseSeconds) {
        byte[] first = new byte[Integer.BYTES];
        Bpf.update(object.mapDescriptor(ProgramFile.map(Pins.CONFIG)), first,
                Settings.initial(geometry.capacity(), geometry.buckets(), leaseSeconds, file.abiHash()));
        for (String name : Pins.MAPS) {
            Bpf.pin(object.mapDescriptor(ProgramFile.map(name)), pins.map(name));
            open(name);
        }
        return settings();
    }

    private BpfMap open(String name) {
        BpfMap map = service.open(pins.map(name));
        opened.add(map::close);
        maps.put(name, map);
        return map;
    }

    private Settings settings() {
        Gate gate = service.newGate();
        opened.add(gate::close);
        return new Settings(maps.get(Pins.CONFIG).map(gate), gate);
    }

    /** Keeps the pinned programs that are the same; every live link gets the one of them that its driver takes. */
    private void installPrograms(Loaded loaded) throws IOException {
        BpfObject object = loaded.object;
        List<Descriptor> installed = new ArrayList<>();
        installed.add(installProgram(object.programDescriptor(PROGRAM), pins.program()));
        if (object.isLoaded(FRAGS_PROGRAM)) {
            installed.add(installProgram(object.programDescriptor(FRAGS_PROGRAM), pins.fragsProgram()));
        } else {
            Files.deleteIfExists(pins.fragsProgram());
        }
        programs = List.copyOf(installed);
        loaded.classic.pin();
        for (Path pin : pins.allLinks()) {
            updateLink(pin);
        }
    }

    private Descriptor installProgram(int loaded, Path pin) throws IOException {
        if (!isPinned(loaded, pin)) {
            pins.replaceProgram(loaded, pin);
        }
        return Bpf.open(pin);
    }

    /** The same instructions on the same maps, but for those of its own. */
    private static boolean isPinned(int program, Path pin) {
        if (!Files.exists(pin)) {
            return false;
        }
        try (Descriptor pinned = Bpf.open(pin)) {
            ProgramDescription there = Bpf.describeProgram(pinned.number());
            ProgramDescription wanted = Bpf.describeProgram(program);
            Set<Integer> others = new HashSet<>(wanted.maps());
            others.removeAll(there.maps());
            return there.tag().equals(wanted.tag()) && there.maps().size() == wanted.maps().size() && others.size() <= OWN_MAPS;
        }
    }

    private void updateLink(Path pin) {
        Link link = new Link(pin);
        try {
            Optional<LinkDescription> found = link.describe();
            if (found.isPresent() && found.get().interfaceIndex() != 0
                    && link.runOneOf(programs.stream().map(Descriptor::number).toList())) {
                LOG.log(Level.INFO, "The link {0} runs the new program.", pin.getFileName());
            }
        } catch (BpfException refused) {
            LOG.log(Level.ERROR, "The link {0} goes on with the program that it has: {1}", pin.getFileName(),
                    refused.getMessage());
        }
    }

    private OtherTable otherLayout(String pinned, String ours) {
        return new OtherTable("The maps pinned at " + pins.root() + " are laid out by another version (" + pinned + ", this"
                + " version: " + ours + "): start that version again, or end their bypasses: with ./flowbypass run"
                + " --migrate, which makes records of them, or with ./flowbypass off.");
    }

    private void check(MapInfo pinned, MapDescription wanted) throws Refusal {
        if (pinned.type().number() != wanted.type() || pinned.keySize() != wanted.keySize()
                || pinned.valueSize() != wanted.valueSize() || pinned.capacity() != wanted.maxEntries()
                || pinned.flags() != (wanted.flags() | flagsOfTheKernel(pinned.type()))) {
            throw otherLayout("map " + wanted.name() + " of " + pinned.capacity() + " times " + pinned.valueSize()
                    + " bytes", wanted.maxEntries() + " times " + wanted.valueSize() + " bytes");
        }
    }

    /** What the kernel adds to the flags of a map: programs only read a DEVMAP_HASH (kernel/bpf/devmap.c). */
    private static int flagsOfTheKernel(MapType type) {
        return type == MapType.DEVMAP_HASH ? READ_ONLY_FOR_PROGRAMS : 0;
    }

    private static String hexadecimal(long hash) {
        return HexFormat.of().toHexDigits(hash);
    }
}
