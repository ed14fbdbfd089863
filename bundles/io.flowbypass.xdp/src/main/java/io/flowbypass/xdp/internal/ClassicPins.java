// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.BpfException;
import io.flowbypass.libbpf.BpfObject;
import io.flowbypass.libbpf.Descriptor;
import io.flowbypass.libbpf.MapDescription;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.MapInfo;
import io.flowbypass.maps.MapService;
import io.flowbypass.maps.MapType;
import io.flowbypass.xdp.ClassicDialect;
import io.flowbypass.xdp.ClassicTable;
import io.flowbypass.xdp.ClassicTable.Content;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The tables of other tools, at the pins where those look for them: adopted where a tool has made them, else made.
 *
 * <pre>
 *    beside root/autocutoff/flow_table_v4    libflowbypass      root/classic/autocutoff%flow_table_v4
 *                suricata-IFACE-flow_table_v4                   the same map: it is ours, and off removes both pins
 *                zeek/shunt_map
 * </pre>
 *
 * <p>Not thread-safe.
 */
final class ClassicPins implements AutoCloseable {
    private static final Logger LOG = System.getLogger(ClassicPins.class.getName());
    private static final String DIALECTS = ".rodata.classic";
    private static final int OWNER_AND_GROUP = 2;
    /** No id of a map. */
    private static final int NONE = 0;
    private static final int UNKNOWN = -1;

    /**
     * A map of classic.h.
     *
     * @param name its name in the object
     * @param pin where it is pinned; IFACE stands for an interface
     * @param keyType what the tool calls the type of its keys; what classic.h calls it is as good
     */
    private record Kind(ClassicDialect dialect, Content content, String name, String pin, Set<String> keyType) {
    }

    private static final List<Kind> KINDS = List.of(
            new Kind(ClassicDialect.LIBFLOWBYPASS, Content.IPV4, "flowbypass_v4", "autocutoff/flow_table_v4",
                    Set.of("struct flowv4_keys", "struct fb_classic_v4")),
            new Kind(ClassicDialect.LIBFLOWBYPASS, Content.IPV6, "flowbypass_v6", "autocutoff/flow_table_v6",
                    Set.of("struct flowv6_keys", "struct fb_classic_v6")),
            new Kind(ClassicDialect.SURICATA, Content.IPV4, "suricata_v4", "suricata-IFACE-flow_table_v4",
                    Set.of("struct flowv4_keys", "struct fb_classic_v4")),
            new Kind(ClassicDialect.SURICATA, Content.IPV6, "suricata_v6", "suricata-IFACE-flow_table_v6",
                    Set.of("struct flowv6_keys", "struct fb_classic_v6")),
            new Kind(ClassicDialect.ZEEK, Content.FLOWS, "zeek_flows", "zeek/shunt_map",
                    Set.of("struct canonical_tuple", "struct fb_zeek_flow")),
            new Kind(ClassicDialect.ZEEK, Content.PAIRS, "zeek_pairs", "zeek/ip_pair_map",
                    Set.of("struct ip_pair_key", "struct fb_zeek_pair")));

    private final MapService service;
    private final Path root;
    private Wanted wanted = new Wanted(List.of(), null, null);
    /** By the names of the maps in the object. */
    private Map<String, ClassicTable> tables = new HashMap<>();
    /** By these names, the id of the map that was found at the pin when a program was loaded, or was pinned then; 0 for none. */
    private Map<String, Integer> looked = Map.of();
    /** Of these, those whose pin was gone at the last look. */
    private final Set<String> missing = new HashSet<>();

    /** The tools' pins are beside root. */
    ClassicPins(MapService service, Path root) {
        this.service = service;
        this.root = root;
    }

    /**
     * What is to be used, and who gets the pins of maps that are made.
     *
     * @param user null for this process's
     * @param group null for this process's
     */
    record Wanted(List<ClassicSetting> tools, UserPrincipal user, GroupPrincipal group) {
        /**
         * By the configuration.
         *
         * @param owner a user, or user:group; empty for this process's
         * @throws IllegalArgumentException when there is no such user or group
         */
        static Wanted of(List<ClassicSetting> tools, String owner) {
            if (owner.isBlank()) {
                return new Wanted(tools, null, null);
            }
            String[] names = owner.strip().split(":", OWNER_AND_GROUP);
            UserPrincipalLookupService principals = FileSystems.getDefault().getUserPrincipalLookupService();
            try {
                return new Wanted(tools, principals.lookupPrincipalByName(names[0]),
                        names.length < OWNER_AND_GROUP ? null : principals.lookupPrincipalByGroupName(names[1]));
            } catch (IOException unknown) {
                throw new IllegalArgumentException("classic.owner is \"" + owner.strip() + "\": there is no such user or group"
                        + " on this machine", unknown);
            }
        }
    }

    /** Says what is wanted from now on; in force once a program is loaded with it. Returns what was wanted before. */
    Wanted want(Wanted now) {
        Wanted before = wanted;
        wanted = now;
        return before;
    }

    /** The tools that are wanted. */
    Set<ClassicDialect> dialects() {
        Set<ClassicDialect> dialects = EnumSet.noneOf(ClassicDialect.class);
        wanted.tools().forEach(setting -> dialects.add(setting.dialect()));
        return dialects;
    }

    /** The tables in use. */
    List<ClassicTable> tables() {
        return KINDS.stream().map(kind -> tables.get(kind.name())).filter(table -> table != null).toList();
    }

    private Path pin(Kind kind) {
        return root.resolveSibling(kind.pin().replace("IFACE", setting(kind.dialect()).interfaceName()));
    }

    private Path mark(Path pin) {
        return root.resolve("classic").resolve(root.getParent().relativize(pin).toString().replace('/', '%'));
    }

    private ClassicSetting setting(ClassicDialect dialect) {
        return wanted.tools().stream().filter(each -> each.dialect() == dialect).findFirst().orElse(null);
    }

    /**
     * Prepares an object for those that are wanted. A tool whose pins cannot be used is left out, which is logged.
     *
     * @param without tools that are left out anyway
     * @return what is in use once the object is loaded, and {@link Prepared#pin} called
     */
    Prepared prepare(BpfObject object, Set<ClassicDialect> without) {
        Prepared prepared = new Prepared(object);
        try {
            Set<ClassicDialect> usable = dialects();
            usable.removeAll(without);
            for (Kind kind : KINDS) {
                if (setting(kind.dialect()) != null) {
                    prepared.open(kind, usable);
                }
            }
            prepared.apply(usable);
            return prepared;
        } catch (RuntimeException broken) {
            prepared.close();
            throw broken;
        }
    }

    /** What an object is loaded with. */
    final class Prepared implements AutoCloseable {
        private final BpfObject object;
        private final Map<String, BpfMap> found = new HashMap<>();
        private final Map<String, Integer> ids = new HashMap<>();
        private final List<Kind> used = new ArrayList<>();

        private Prepared(BpfObject object) {
            this.object = object;
        }

        /** Takes a tool out of those that are usable when its map is not. */
        private void open(Kind kind, Set<ClassicDialect> usable) {
            Path pin = ClassicPins.this.pin(kind);
            ids.put(kind.name(), UNKNOWN);
            try {
                ids.put(kind.name(), id(pin));
                if (ids.get(kind.name()) != NONE && usable.contains(kind.dialect())) {
                    BpfMap map = service.open(pin);
                    found.put(kind.name(), map);
                    check(pin, kind, map.info(), object.map(kind.name()));
                }
            } catch (Refusal | BpfException | IllegalArgumentException unusable) {
                LOG.log(Level.ERROR, "Not in force, of classic.tables: {0}. {1}", kind.dialect(), unusable.getMessage());
                usable.remove(kind.dialect());
            }
        }

        private void apply(Set<ClassicDialect> usable) {
            int dialects = 0;
            for (Kind kind : KINDS) {
                if (!usable.contains(kind.dialect())) {
                    object.leaveOut(kind.name());
                    continue;
                }
                used.add(kind);
                dialects |= 1 << kind.dialect().ordinal();
                if (found.containsKey(kind.name())) {
                    object.reuse(kind.name(), found.get(kind.name()).descriptor());
                } else {
                    object.resize(kind.name(), setting(kind.dialect()).entries());
                }
            }
            object.setConstants(DIALECTS,
                    ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.nativeOrder()).putInt(dialects).array());
        }

        /** Once the object is loaded: pins the maps that it made, and lets go of what was in use before. */
        void pin() {
            Map<String, ClassicTable> now = new HashMap<>();
            for (Kind kind : used) {
                try {
                    now.put(kind.name(), take(kind));
                } catch (Refusal | BpfException failed) {
                    LOG.log(Level.ERROR, "{0}", failed.getMessage());
                }
            }
            looked = Map.copyOf(ids);
            missing.clear();
            tables.values().forEach(table -> table.map().close());
            tables = now;
        }

        private ClassicTable take(Kind kind) throws Refusal {
            Path pin = ClassicPins.this.pin(kind);
            if (!found.containsKey(kind.name())) {
                make(pin, object.mapDescriptor(kind.name()));
                found.put(kind.name(), service.open(pin));
            }
            int id = found.get(kind.name()).info().id();
            ids.put(kind.name(), id);
            boolean made = id(mark(pin)) == id;
            if (made) {
                give(pin);
            } else {
                remove(mark(pin));
            }
            LOG.log(Level.INFO, "Uses {0}''s map at {1}, id {2,number,#}, which {3} made.", kind.dialect(), pin, id,
                    made ? "Flowbypass" : "another tool");
            long entries = found.get(kind.name()).info().capacity();
            if (made && entries != setting(kind.dialect()).entries()) {
                LOG.log(Level.WARNING, "It keeps its {0,number,#} entries, not {1,number,#}, until ./flowbypass off.", entries,
                        setting(kind.dialect()).entries());
            }
            return new ClassicTable(kind.dialect(), kind.content(), pin, made, found.remove(kind.name()));
        }

        @Override
        public void close() {
            found.values().forEach(BpfMap::close);
        }
    }

    /** Marked first: whatever fails after that, it is known whose the pin is. */
    private void make(Path pin, int map) throws Refusal {
        try {
            makeDirectory(pin.getParent());
            makeDirectory(root.resolve("classic"));
            Files.deleteIfExists(mark(pin));
            Bpf.pin(map, mark(pin));
            Bpf.pin(map, pin);
        } catch (IOException | BpfException failed) {
            remove(mark(pin));
            throw new Refusal("The map for other tools cannot be pinned at " + pin + ": " + failed.getMessage() + ".", failed);
        }
        give(pin);
    }

    private static void remove(Path mark) throws Refusal {
        try {
            Files.deleteIfExists(mark);
        } catch (IOException failed) {
            throw new Refusal("The pin " + mark + " cannot be removed: " + failed.getMessage() + ".", failed);
        }
    }

    private void makeDirectory(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            Files.createDirectory(directory,
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        }
    }

    /** To the configured owner, with the directory that was made for it. */
    private void give(Path pin) throws Refusal {
        try {
            give(pin, wanted.user(), wanted.group());
            if (!pin.getParent().equals(root.getParent())) {
                give(pin.getParent(), wanted.user(), wanted.group());
            }
        } catch (IOException failed) {
            throw new Refusal("The owner of " + pin + " cannot be set: " + failed.getMessage() + ".", failed);
        }
    }

    private static void give(Path path, UserPrincipal user, GroupPrincipal group) throws IOException {
        PosixFileAttributeView view = Files.getFileAttributeView(path, PosixFileAttributeView.class);
        if (user != null) {
            view.setOwner(user);
        }
        if (group != null) {
            view.setGroup(group);
        }
    }

    /** Of the map that is pinned there; {@link #NONE} when none is. */
    private static int id(Path pin) {
        try (Descriptor pinned = Bpf.open(pin)) {
            return Bpf.describeMap(pinned.number()).id();
        } catch (BpfException absent) {
            if (absent.is("ENOENT")) {
                return NONE;
            }
            throw absent;
        }
    }

    /**
     * Looks at the pins again. That of a map that was made here, and was gone at the last look already, is put back: between
     * two looks, a tool has time to pin one of its own.
     *
     * @return whether another map is where one was, so that a program has to be loaded with that
     */
    boolean hasChanged() {
        boolean changed = false;
        for (Kind kind : KINDS) {
            if (setting(kind.dialect()) != null) {
                changed |= hasChanged(kind);
            }
        }
        return changed;
    }

    private boolean hasChanged(Kind kind) {
        Path pin = pin(kind);
        ClassicTable table = tables.get(kind.name());
        int before = looked.getOrDefault(kind.name(), UNKNOWN);
        try {
            int id = id(pin);
            if (id == NONE && table != null) {
                if (missing.add(kind.name())) {
                    LOG.log(Level.WARNING, "The pin {0} was removed; XDP goes on with its map.", pin);
                } else if (table.made()) {
                    make(pin, table.map().descriptor());
                    missing.remove(kind.name());
                    LOG.log(Level.WARNING, "The pin {0} is put back.", pin);
                }
                return false;
            }
            missing.remove(kind.name());
            if (id != before) {
                LOG.log(Level.WARNING, id == NONE ? "What was pinned at {0} is gone."
                        : "The map at {0} is another one now, id {1,number,#}.", pin, id);
                return true;
            }
        } catch (Refusal | BpfException failed) {
            // What could not be looked at before was said then.
            LOG.log(before == UNKNOWN ? Level.DEBUG : Level.WARNING, "{0}", failed.getMessage());
        }
        return false;
    }

    private static void check(Path pin, Kind kind, MapInfo pinned, MapDescription wanted) throws Refusal {
        if (pinned.type().number() != wanted.type() || pinned.keySize() != wanted.keySize()
                || pinned.valueSize() != wanted.valueSize()) {
            throw new Refusal("The map at " + pin + " is a " + pinned.type() + " with keys of " + pinned.keySize()
                    + " and values of " + pinned.valueSize() + " bytes; " + kind.dialect() + "'s is a "
                    + MapType.ofNumber(wanted.type()) + " with keys of " + wanted.keySize()
                    + " and values of " + wanted.valueSize() + ": remove that pin, or load the tool's version that fits.");
        }
        if (!pinned.keyType().isEmpty() && !kind.keyType().contains(pinned.keyType())) {
            throw new Refusal("The keys of the map at " + pin + " are of type " + pinned.keyType() + ", those of "
                    + kind.dialect() + " of " + String.join(" or ", kind.keyType().stream().sorted().toList())
                    + ": remove that pin.");
        }
        if (kind.dialect() == ClassicDialect.ZEEK && pinned.valueType().isEmpty()) {
            throw new Refusal("The map at " + pin + " has no type information (BTF), so nobody can take the spin lock of its"
                    + " values: remove that pin.");
        }
    }

    @Override
    public void close() {
        tables.values().forEach(table -> table.map().close());
        tables = new HashMap<>();
    }
}
