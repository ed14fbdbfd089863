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
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

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

    private final MapService service;
    private final ProgramFile file;
    private final Geometry geometry;
    private final Map<String, BpfMap> maps = new HashMap<>();
    /** The one for packets in one buffer; behind it, where the kernel can, the one for packets in several. */
    private final List<Descriptor> programs = new ArrayList<>();
    private final Closers closers = new Closers();
    private Pins pins;
    private NativeDataPlane dataPlane;

    private Installation(MapService service, ProgramFile file, Geometry geometry) {
        this.service = service;
        this.file = file;
        this.geometry = geometry;
    }

    /**
     * Makes or adopts it.
     *
     * @throws Refusal with a sentence; nothing that was pinned is changed then
     */
    static Installation install(MapService service, ProgramFile file, Path root, Geometry geometry, int leaseSeconds)
            throws Refusal {
        Installation installation = new Installation(service, file, geometry);
        try {
            // A library that is missing, or an object that is broken, is found before anything is made.
            BpfObject.open(ProgramFile.NAME, file.content()).close();
            installation.pins = Pins.in(root);
            installation.lock();
            installation.install(leaseSeconds);
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
    public void close() {
        closers.close();
    }

    private void lock() throws Refusal {
        Descriptor lock = Host.lock(pins.root()).orElseThrow(() -> new Refusal("Another Flowbypass uses " + pins.root()
                + ": stop it first, or give one of the two another pin.root."));
        closers.add(lock::close);
    }

    private void install(int leaseSeconds) throws Refusal, IOException {
        Settings settings = null;
        if (Files.exists(pins.map(Pins.CONFIG))) {
            settings = openConfig();
        }
        boolean adopted = pins.complete();
        if (adopted) {
            Pins.MAPS.stream().filter(name -> !name.equals(Pins.CONFIG)).forEach(this::open);
        } else {
            maps.clear();
            pins.removeRemains();
        }
        try (BpfObject object = load()) {
            if (!adopted) {
                settings = pinMaps(object, leaseSeconds);
            }
            settings.setLeaseSeconds(leaseSeconds);
            // Until the table's owner has looked at what XDP took meanwhile, and lends new slots.
            settings.setCutoff(false);
            installPrograms(object);
        }
        ProgramDescription running = Bpf.describeProgram(programs.get(0).number());
        dataPlane = new NativeDataPlane(pins, Map.copyOf(maps), settings, List.copyOf(programs));
        LOG.log(Level.INFO, "{0} the table of {1} flows at {2}, program {3}.", adopted ? "Adopted" : "Made",
                dataPlane.capacity(), pins.root(), running.tag());
    }

    /** The object, loaded: with the program for packets in several buffers where this kernel can (Linux 5.18). */
    private BpfObject load() throws Refusal {
        BpfObject object = prepare();
        try {
            object.choose(FRAGS_PROGRAM);
            object.load();
            return object;
        } catch (BpfException refused) {
            object.close();
            LOG.log(Level.DEBUG, "the program for packets in several buffers was refused", refused);
        }
        object = prepare();
        try {
            object.load();
            LOG.log(Level.INFO, "This kernel has no XDP for packets in several buffers: a large MTU needs generic mode.");
            return object;
        } catch (BpfException refused) {
            object.close();
            throw refused;
        }
    }

    /** The object, opened: with the maps that are pinned, or sizes for new ones. */
    private BpfObject prepare() throws Refusal {
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
            return object;
        } catch (Refusal | RuntimeException refused) {
            object.close();
            throw refused;
        }
    }

    /** The pinned config, once it is sure that the maps are those of this version and capacity. */
    private Settings openConfig() throws Refusal {
        int size = open(Pins.CONFIG).info().valueSize();
        if (size != Settings.SIZE) {
            throw otherLayout("a config of " + size + " bytes", Settings.SIZE + " bytes");
        }
        Settings settings = settings();
        if (settings.abiHash() != file.abiHash()) {
            throw otherLayout("ABI hash " + hexadecimal(settings.abiHash()), hexadecimal(file.abiHash()));
        }
        if (settings.capacity() != geometry.capacity()) {
            throw new Refusal("The table pinned at " + pins.root() + " holds " + settings.capacity() + " flows, but capacity"
                    + " is " + geometry.capacity() + ": set it back to " + settings.capacity()
                    + ", or remove the old table, which ends its bypasses, with ./flowbypass off.");
        }
        return settings;
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
        closers.add(map::close);
        maps.put(name, map);
        return map;
    }

    private Settings settings() {
        Gate gate = service.newGate();
        closers.add(gate::close);
        return new Settings(maps.get(Pins.CONFIG).map(gate), gate);
    }

    /** Keeps the pinned programs that are the same; every live link gets the one of them that its driver takes. */
    private void installPrograms(BpfObject object) throws IOException {
        installProgram(object.programDescriptor(PROGRAM), pins.program());
        if (object.isLoaded(FRAGS_PROGRAM)) {
            installProgram(object.programDescriptor(FRAGS_PROGRAM), pins.fragsProgram());
        } else {
            Files.deleteIfExists(pins.fragsProgram());
        }
        for (Path pin : pins.allLinks()) {
            updateLink(pin);
        }
    }

    private void installProgram(int loaded, Path pin) throws IOException {
        if (!isPinned(loaded, pin)) {
            pins.replaceProgram(loaded, pin);
        }
        Descriptor program = Bpf.open(pin);
        closers.add(program::close);
        programs.add(program);
    }

    private static boolean isPinned(int program, Path pin) {
        if (!Files.exists(pin)) {
            return false;
        }
        try (Descriptor pinned = Bpf.open(pin)) {
            return Bpf.describeProgram(pinned.number()).tag().equals(Bpf.describeProgram(program).tag());
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

    private Refusal otherLayout(String pinned, String ours) {
        return new Refusal("The maps pinned at " + pins.root() + " are laid out by another version (" + pinned + ", this"
                + " version: " + ours + "): start that version again, or remove them, which ends their bypasses, with"
                + " ./flowbypass off.");
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
