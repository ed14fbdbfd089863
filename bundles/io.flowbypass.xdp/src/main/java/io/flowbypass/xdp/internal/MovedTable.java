// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.BpfException;
import io.flowbypass.libbpf.StructDescription;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.Gate;
import io.flowbypass.maps.MapService;
import io.flowbypass.maps.MapSpec;
import io.flowbypass.maps.MapType;
import io.flowbypass.maps.Mapping;
import io.flowbypass.xdp.OldTable;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.Function;

/** A table that is not adopted but drained. Where things lie in its maps is read from the kernel's type information. */
final class MovedTable implements OldTable, AutoCloseable {
    private final Installation installation;
    private final Closers closers = new Closers();
    private final Map<Member, StructDescription.Member> members = new EnumMap<>(Member.class);
    private BpfMap records;
    private BpfMap info;
    private Mapping config;
    private int paused;
    private long tableId;

    private MovedTable(Installation installation) {
        this.installation = installation;
    }

    /**
     * Opens its maps, wherever they are pinned.
     *
     * @param pin of a map, by its name
     * @throws Refusal when it cannot be drained; nothing is changed then
     */
    static MovedTable open(MapService service, Path root, Function<String, Path> pin, Installation installation)
            throws Refusal {
        MovedTable table = new MovedTable(installation);
        try {
            table.open(service, pin);
            return table;
        } catch (Refusal | BpfException | UnsupportedOperationException why) {
            table.close();
            throw new Refusal("The old table pinned at " + root + " cannot be migrated, because " + why.getMessage()
                    + ": start the version again that made it, or remove it, and what it counted, with ./flowbypass off.", why);
        }
    }

    private void open(MapService service, Function<String, Path> pin) throws Refusal {
        BpfMap configMap = open(service, pin.apply(Pins.CONFIG));
        records = open(service, pin.apply("records"));
        info = open(service, pin.apply("info"));
        Map<String, StructDescription.Member> settings = members(configMap, "fb_config");
        paused = find("fb_config", settings, "paused", Integer.BYTES).offset();
        Gate gate = service.newGate();
        closers.add(gate::close);
        config = configMap.map(gate);
        int abi = config.getInt(find("fb_config", settings, "abi", Integer.BYTES).offset());
        if (abi != Settings.ABI_VERSION) {
            throw new Refusal("its memory is laid out by ABI " + abi + ", and this version knows ABI " + Settings.ABI_VERSION
                    + " only");
        }
        tableId = config.getLong(find("fb_config", settings, "table_id", Long.BYTES).offset());
        Map<String, StructDescription.Member> ofRecords = members(records, "fb_record");
        Map<String, StructDescription.Member> ofInfo = members(info, "fb_info");
        for (Member member : Member.values()) {
            members.put(member, member.map().equals("records")
                    ? find("fb_record", ofRecords, member.memberName(), member.bytes())
                    : find("fb_info", ofInfo, member.memberName(), member.bytes()));
        }
        if (records.info().capacity() != 2 * info.info().capacity()) {
            throw new Refusal("it has " + records.info().capacity() + " records for " + info.info().capacity() + " slots");
        }
    }

    private BpfMap open(MapService service, Path pin) throws Refusal {
        BpfMap map = service.open(pin);
        closers.add(map::close);
        if (map.info().type() != MapType.ARRAY || (map.info().flags() & MapSpec.MMAPABLE) == 0) {
            throw new Refusal(pin.getFileName() + " is no ARRAY that can be mapped into memory");
        }
        return map;
    }

    private static Map<String, StructDescription.Member> members(BpfMap map, String struct) throws Refusal {
        return Bpf.structOfValues(map.descriptor()).filter(found -> found.name().equals("struct " + struct))
                .orElseThrow(() -> new Refusal("the kernel does not tell this process of a struct " + struct + " in its map "
                        + map.info().name() + " (asking needs CAP_SYS_ADMIN)"))
                .members();
    }

    /** A size of 0 is any. */
    private static StructDescription.Member find(String struct, Map<String, StructDescription.Member> members, String name,
            int size) throws Refusal {
        StructDescription.Member found = members.get(name);
        if (found == null) {
            throw new Refusal("its struct " + struct + " has no member " + name);
        }
        if (size != 0 && found.size() != size) {
            throw new Refusal("the member " + name + " of its struct " + struct + " has " + found.size() + " bytes, not "
                    + size);
        }
        return found;
    }

    int capacity() {
        return (int) info.info().capacity();
    }

    /** Keeps every program from counting in it, also one whose link could not be given the new one. */
    void pause() {
        config.setIntVolatile(paused, 1);
    }

    @Override
    public long tableId() {
        return tableId;
    }

    @Override
    public BpfMap records() {
        return records;
    }

    @Override
    public BpfMap info() {
        return info;
    }

    @Override
    public int offset(Member member) {
        return members.get(member).offset();
    }

    @Override
    public int size(Member member) {
        return members.get(member).size();
    }

    @Override
    public void remove() {
        installation.removeOldTable();
    }

    /** Lets go of it; what is pinned stays. */
    @Override
    public void close() {
        closers.close();
    }
}
