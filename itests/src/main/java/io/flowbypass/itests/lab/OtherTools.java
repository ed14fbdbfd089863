// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import io.flowbypass.xdp.ClassicTable;
import io.flowbypass.xdp.DataPlane;
import java.nio.file.Path;
import java.util.List;

/** That XDP uses the tables of other tools, until it is closed; then their pins are gone. */
public final class OtherTools implements AutoCloseable {
    /** Where the tools' pins are. */
    public static final Path BPFFS = Path.of("/sys/fs/bpf");

    private final DataPlane dataPlane = Services.waitFor(DataPlane.class);
    private final Reaper pins = new Reaper("rm -rf " + BPFFS + "/autocutoff " + BPFFS + "/zeek " + BPFFS + "/suricata-fbitest-*");

    /** Of these tools, as classic.tables names them; waits until so many maps are in use. */
    public OtherTools(String setting, int maps) {
        use(setting, maps);
    }

    /** Uses those of others from now on. */
    public void use(String setting, int maps) {
        Framework.configure("io.flowbypass.xdp", "classic.tables", setting);
        Jmx.eventually(() -> dataPlane.classicTables().size() == maps, "XDP uses " + maps + " maps of \"" + setting + "\"");
    }

    /** The ids of the maps that XDP uses. */
    public List<Integer> ids() {
        return dataPlane.classicTables().stream().map(ClassicTable::map).map(map -> map.info().id()).toList();
    }

    @Override
    public void close() {
        use("", 0);
        pins.close();
    }
}
