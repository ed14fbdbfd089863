// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import io.flowbypass.management.MapOperationCounts;
import io.flowbypass.management.MapsMXBean;
import io.flowbypass.management.OpenMap;
import io.flowbypass.maps.Blocks;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.CallCounts;
import io.flowbypass.maps.Codec;
import io.flowbypass.maps.MapInfo;
import io.flowbypass.maps.MapService;
import io.flowbypass.maps.PerCpu;
import io.flowbypass.maps.TypedMap;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.StringJoiner;
import java.util.stream.Collectors;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;

/** The MBean of the map service. Thread-safe. */
@Component(immediate = true, service = {})
public final class MapsMBean extends DescribedMBean implements MapsMXBean {
    private static final int MOST_ENTRIES = 10_000;
    private static final int BLOCK_ENTRIES = 1024;

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
        return maps.calls().values().stream().mapToLong(CallCounts::calls).sum();
    }

    @Override
    public long getErrors() {
        return maps.calls().values().stream().mapToLong(CallCounts::errors).sum();
    }

    @Override
    public List<MapOperationCounts> getOperations() {
        return maps.calls().entrySet().stream().filter(each -> each.getValue().calls() > 0)
                .map(each -> new MapOperationCounts(each.getKey().name(), each.getValue().calls(),
                        each.getValue().errors()))
                .toList();
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
            return entries(opened).lookup(key).map(value -> hex(value, "\n")).orElse("no value for this key");
        }
    }

    @Override
    public String dump(String map, int offset, int limit) {
        if (offset < 0 || limit < 0 || limit > MOST_ENTRIES) {
            throw new IllegalArgumentException("offset " + offset + " and limit " + limit
                    + ": the offset is 0 or more, the limit 1 to " + MOST_ENTRIES);
        }
        try (BpfMap opened = open(map)) {
            StringJoiner lines = new StringJoiner("\n").setEmptyValue("no entries from " + offset + " on");
            Blocks<byte[], ?> blocks = entries(opened).lookupBatch(BLOCK_ENTRIES);
            long skip = offset;
            int left = limit(limit);
            while (left > 0 && blocks.next()) {
                for (int i = (int) Math.min(skip, blocks.size()); i < blocks.size() && left > 0; i++, left--) {
                    lines.add(hex(blocks.key(i), "") + ": " + hex(blocks.value(i), " "));
                }
                skip -= Math.min(skip, blocks.size());
            }
            return lines.toString();
        }
    }

    /** Its entries as bytes. */
    private static TypedMap<byte[], ?> entries(BpfMap map) {
        Codec<byte[]> key = Codec.bytes(map.info().keySize());
        Codec<byte[]> value = Codec.bytes(map.info().valueSize());
        return map.info().type().isPerCpu() ? map.perCpu(key, value) : map.typed(key, value);
    }

    /** Bytes, or those of each CPU with something between. */
    private static String hex(Object value, String between) {
        return value instanceof PerCpu<?> each ? each.values().stream().map(one -> hex(one, "")).collect(Collectors.joining(between))
                : HexFormat.of().formatHex((byte[]) value);
    }

    private static byte[] key(String hex) {
        if (hex == null) {
            throw new IllegalArgumentException("there is no key: give its bytes in hexadecimal digits");
        }
        try {
            return HexFormat.of().parseHex(hex.replaceAll("\\s", ""));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "key \"" + hex + "\" is not hexadecimal: write two digits for each byte, such as 0a00", e);
        }
    }

    private BpfMap open(String map) {
        if (map == null || map.isBlank()) {
            throw new IllegalArgumentException("there is no map: give the name of an open one, or the path of a pin");
        }
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
