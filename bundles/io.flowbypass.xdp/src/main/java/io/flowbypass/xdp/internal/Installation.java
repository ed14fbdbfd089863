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
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;

/**
 * The program and its maps, pinned: loaded for the first time, or found from an earlier run and adopted. Closing it lets go
 * of them in this process; pins and links stay, and XDP goes on.
 */
final class Installation implements AutoCloseable {
    private static final Logger LOG = System.getLogger(Installation.class.getName());
    private static final String PROGRAM = "flowbypass";

    private final MapService service;
    private final ProgramFile file;
    private final Geometry geometry;
    private final Map<String, BpfMap> maps = new HashMap<>();
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
        try (BpfObject object = BpfObject.open(ProgramFile.NAME, file.content())) {
            installation.pins = Pins.in(root);
            installation.lock();
            installation.install(object, leaseSeconds);
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

    private void install(BpfObject object, int leaseSeconds) throws Refusal, IOException {
        object.resize("index", geometry.buckets());
        object.resize("records", geometry.records());
        object.resize("info", geometry.capacity());
        boolean adopted = pins.complete();
        Settings settings;
        if (adopted) {
            settings = adoptMaps(object);
            object.load();
        } else {
            pins.removeRemains();
            object.load();
            settings = pinMaps(object, leaseSeconds);
        }
        settings.setLeaseSeconds(leaseSeconds);
        Descriptor program = installProgram(object.programDescriptor(PROGRAM));
        ProgramDescription running = Bpf.describeProgram(program.number());
        dataPlane = new NativeDataPlane(pins, Map.copyOf(maps), settings, program, running);
        LOG.log(Level.INFO, "{0} the table of {1} flows at {2}, program {3}.", adopted ? "Adopted" : "Made",
                dataPlane.capacity(), pins.root(), running.tag());
    }

    private Settings adoptMaps(BpfObject object) throws Refusal {
        MapDescription config = object.map(Pins.CONFIG);
        int size = open(Pins.CONFIG).info().valueSize();
        if (size != Settings.SIZE || config.valueSize() != Settings.SIZE) {
            throw otherLayout("a config of " + size + " bytes", config.valueSize() + " bytes");
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
        for (String name : Pins.MAPS) {
            BpfMap map = name.equals(Pins.CONFIG) ? maps.get(name) : open(name);
            check(map.info(), object.map(name));
            object.reuse(name, map.descriptor());
        }
        return settings;
    }

    private Settings pinMaps(BpfObject object, int leaseSeconds) {
        byte[] first = new byte[Integer.BYTES];
        Bpf.update(object.mapDescriptor(Pins.CONFIG), first,
                Settings.initial(geometry.capacity(), geometry.buckets(), leaseSeconds, file.abiHash()));
        for (String name : Pins.MAPS) {
            Bpf.pin(object.mapDescriptor(name), pins.map(name));
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

    /** Keeps the pinned program when it is the same; otherwise every live link gets the new one first, then the pin. */
    private Descriptor installProgram(int loaded) throws IOException {
        if (!isPinned(Bpf.describeProgram(loaded).tag())) {
            updateLinks(loaded);
            pins.replaceProgram(loaded);
        }
        Descriptor program = Bpf.open(pins.program());
        closers.add(program::close);
        return program;
    }

    private boolean isPinned(String tag) {
        if (!Files.exists(pins.program())) {
            return false;
        }
        try (Descriptor pinned = Bpf.open(pins.program())) {
            return Bpf.describeProgram(pinned.number()).tag().equals(tag);
        }
    }

    private void updateLinks(int program) throws IOException {
        for (Path pin : pins.allLinks()) {
            Optional<LinkDescription> link = new Link(pin).describe();
            if (link.isPresent() && link.get().interfaceIndex() != 0) {
                new Link(pin).run(program);
                LOG.log(Level.INFO, "The link {0} runs the new program.", pin.getFileName());
            }
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
                || pinned.flags() != wanted.flags()) {
            throw otherLayout("map " + wanted.name() + " of " + pinned.capacity() + " times " + pinned.valueSize()
                    + " bytes", wanted.maxEntries() + " times " + wanted.valueSize() + " bytes");
        }
    }

    private static String hexadecimal(long hash) {
        return HexFormat.of().toHexDigits(hash);
    }
}
