// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import io.flowbypass.management.MapsMXBean;
import io.flowbypass.management.OpenMap;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.MapInfo;
import io.flowbypass.maps.MapService;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;

/** The MBean of the map service. Thread-safe. */
@Component(immediate = true, service = {})
public final class MapsMBean extends DescribedMBean implements MapsMXBean {
    private final MapService maps;

    /** For this map service. */
    @Activate
    public MapsMBean(@Reference MapService maps) {
        super("Maps", MapsMXBean.class);
        this.maps = maps;
    }

    @Activate
    void start() {
        register();
    }

    @Deactivate
    void stop() {
        unregister();
    }

    @Override
    public List<OpenMap> getOpenMaps() {
        return maps.openMaps().stream().map(info -> new OpenMap(info.id(), info.name(), info.type().name(),
                info.keySize(), info.valueSize(), info.capacity())).toList();
    }

    @Override
    public long getCalls() {
        return maps.calls().calls();
    }

    @Override
    public long getErrors() {
        return maps.calls().errors();
    }

    @Override
    public String lookup(String map, String hexKey) {
        byte[] key = key(hexKey);
        try (BpfMap opened = open(map)) {
            MapInfo info = opened.info();
            if (key.length != info.keySize()) {
                throw new IllegalArgumentException("key \"" + hexKey + "\" has " + key.length + " bytes: a key of map "
                        + info.name() + " has " + info.keySize());
            }
            List<byte[]> values = info.type().isPerCpu() ? opened.lookupPerCpu(key)
                    : opened.lookup(key).map(List::of).orElse(List.of());
            return values.isEmpty() ? "no value for this key"
                    : values.stream().map(HexFormat.of()::formatHex).collect(Collectors.joining("\n"));
        }
    }

    private static byte[] key(String hex) {
        try {
            return HexFormat.of().parseHex(hex.replaceAll("\\s", ""));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "key \"" + hex + "\" is not hexadecimal: write two digits for each byte, such as 0a00", e);
        }
    }

    private BpfMap open(String map) {
        if (map.startsWith("/")) {
            return maps.open(Path.of(map));
        }
        List<MapInfo> named = maps.openMaps().stream().filter(info -> info.name().equals(map)).toList();
        if (named.stream().map(MapInfo::id).distinct().count() > 1) {
            throw new IllegalStateException(
                    "several open maps are named \"" + map + "\": give the path of the pin instead");
        }
        return named.stream().findFirst().map(info -> maps.open(info.id())).orElseThrow(() -> new IllegalStateException(
                "no open map is named \"" + map + "\": open are "
                        + maps.openMaps().stream().map(MapInfo::name).distinct().toList()
                        + "; any other map needs the path of its pin"));
    }
}
