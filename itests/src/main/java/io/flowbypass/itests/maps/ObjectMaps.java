// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.maps;

import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.BpfObject;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.MapService;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/** The maps and the program of {@code maps.bpf.c}, as another tool would have loaded them. */
final class ObjectMaps implements AutoCloseable {
    private final MapService maps;
    private final BpfObject object;
    private final List<BpfMap> opened = new ArrayList<>();

    ObjectMaps(MapService maps) {
        this.maps = maps;
        try (InputStream file = ObjectMaps.class.getResourceAsStream("/maps.bpf.o")) {
            object = BpfObject.open("maps.bpf.o", file.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        object.load();
    }

    /** One of its maps, by its id. */
    BpfMap map(String name) {
        BpfMap map = maps.open(Bpf.describeMap(object.mapDescriptor(name)).id());
        opened.add(map);
        return map;
    }

    /** Its program writes a record, as often as told; gives the last answer. */
    int emit(int times) {
        return Bpf.testRun(object.programDescriptor("emit"), new byte[64], times).result();
    }

    @Override
    public void close() {
        opened.forEach(BpfMap::close);
        object.close();
    }
}
