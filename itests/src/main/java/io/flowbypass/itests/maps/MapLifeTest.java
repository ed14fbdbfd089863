// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.maps;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.itests.lab.Jmx;
import io.flowbypass.itests.lab.LogLines;
import io.flowbypass.itests.lab.Root;
import io.flowbypass.itests.lab.Services;
import io.flowbypass.libbpf.BpfException;
import io.flowbypass.maps.BatchDelete;
import io.flowbypass.maps.BatchUpdate;
import io.flowbypass.maps.Blocks;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.Codec;
import io.flowbypass.maps.Cursor;
import io.flowbypass.maps.Gate;
import io.flowbypass.maps.LostCursor;
import io.flowbypass.maps.MapInfo;
import io.flowbypass.maps.MapService;
import io.flowbypass.maps.MapSpec;
import io.flowbypass.maps.MapType;
import io.flowbypass.maps.Mapping;
import io.flowbypass.maps.TypedMap;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Opening, closing, forgetting. */
class MapLifeTest {
    private static final int OPENINGS = 100_000;
    private static final Path PIN = Path.of("/sys/fs/bpf/flowbypass-itests-pin");
    private static final MapSpec SPEC = new MapSpec(MapType.HASH, "fb_life", 4, 8, 4, 0);

    private final MapService maps = Services.waitFor(MapService.class);

    @BeforeEach
    void needsRoot() {
        Root.required();
    }

    @AfterEach
    void removeThePin() throws IOException {
        Files.deleteIfExists(PIN);
    }

    @Test
    void aHundredThousandOpensAndClosesLeaveNoDescriptor() throws Exception {
        try (BpfMap map = maps.create(SPEC)) {
            map.pin(PIN);
            int id = map.info().id();
            long before = descriptors();
            int open = maps.openMaps().size();
            for (int i = 0; i < OPENINGS / 2; i++) {
                maps.open(PIN).close();
                maps.open(id).close();
            }
            assertThat(descriptors()).isEqualTo(before);
            assertThat(maps.openMaps()).hasSize(open);
        }
    }

    @Test
    void refusedOpeningsLeaveNoDescriptorEither() throws Exception {
        try (BpfMap map = maps.create(SPEC)) {
            map.pin(PIN);
            long before = descriptors();
            for (int i = 0; i < 100; i++) {
                assertThatThrownBy(() -> maps.open(PIN, MapType.HASH, 4, 16)).isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("is HASH with keys of 4 bytes and values of 8 bytes")
                        .hasMessageContaining("but HASH with keys of 4 bytes and values of 16 bytes was expected");
                assertThatThrownBy(() -> maps.open(Path.of("/sys/fs/bpf/flowbypass-itests/program")))
                        .isInstanceOf(BpfException.class).hasMessageContaining("no map");
                assertThatThrownBy(() -> maps.open(Integer.MAX_VALUE - 1)).hasMessageContaining("ENOENT");
                assertThatThrownBy(() -> maps.create(new MapSpec(MapType.HASH, "fb_bad name", 4, 8, 4, 0)))
                        .hasMessageContaining("EINVAL");
            }
            assertThat(descriptors()).isEqualTo(before);
            maps.open(PIN, MapType.HASH, 4, 8).close();
        }
    }

    @Test
    void aPathThatCannotBeAPinIsRefusedWithTheReason() {
        try (BpfMap map = maps.create(SPEC)) {
            assertThatThrownBy(() -> map.pin(Path.of("/tmp/flowbypass-no-pin"))).hasMessageContaining("/tmp is not on a bpf file system");
            assertThatThrownBy(() -> map.pin(Path.of("/sys/fs/bpf/x.y"))).hasMessageContaining("no dots");
            assertThatThrownBy(() -> maps.open(Path.of("/sys/fs/bpf"))).hasMessageContaining("it is a directory");
            assertThatThrownBy(() -> maps.open(Path.of("/etc/passwd"))).hasMessageContaining("opening /etc/passwd")
                    .hasMessageContaining("/etc is not on a bpf file system");
            assertThatThrownBy(() -> maps.open(Path.of("/sys/fs/bpf/flowbypass-itests/program")))
                    .hasMessageContaining("opening /sys/fs/bpf/flowbypass-itests/program").hasMessageContaining("no map");
        }
    }

    @Test
    void aPinIsMadeAndRemovedAndTheMapLivesInBetween() {
        MapInfo info;
        try (BpfMap map = maps.create(SPEC)) {
            map.pin(PIN);
            map.typed(Codec.INT, Codec.LONG).update(1, 2L);
            info = map.info();
        }
        try (BpfMap map = maps.open(PIN)) {
            assertThat(map.info()).isEqualTo(info);
            assertThat(map.typed(Codec.INT, Codec.LONG).lookup(1)).contains(2L);
            assertThat(maps.allMaps()).contains(info);
            maps.unpin(PIN);
            assertThat(Files.exists(PIN)).isFalse();
        }
        Jmx.eventually(() -> !maps.allMaps().contains(info), "a map that nobody has is gone");
        assertThatThrownBy(() -> maps.unpin(PIN)).isInstanceOf(BpfException.class).hasMessageContaining("ENOENT");
        Path program = Path.of("/sys/fs/bpf/flowbypass-itests/program");
        assertThatThrownBy(() -> maps.unpin(program)).hasMessageContaining("no map");
        assertThat(Files.exists(program)).isTrue();
    }

    @Test
    void aForgottenMapIsClosedAndReportedWithThePlaceWhereItWasOpened() {
        try (LogLines log = new LogLines("")) {
            int id = forget();
            Jmx.eventually(() -> {
                System.gc();
                return log.lines().stream().anyMatch(line -> line.contains("fb_life (id " + id + ")"));
            }, "it is reported");
            assertThat(log.lines()).filteredOn(line -> line.contains("fb_life")).hasSize(1).first().asString()
                    .contains("io.flowbypass.itests forgot the map").contains("MapLifeTest.forget(MapLifeTest.java:");
            assertThat(maps.openMaps()).noneMatch(info -> info.id() == id);
        }
    }

    private int forget() {
        return maps.create(SPEC).info().id();
    }

    @Test
    void aMapOfWhichOnlyAViewIsLeftIsNotForgotten() {
        TypedMap<Integer, Long> view = kept().typed(Codec.INT, Codec.LONG);
        BatchUpdate<Integer, Long> update = kept().typed(Codec.INT, Codec.LONG).updateBatch(4);
        BatchDelete<Integer> delete = kept().typed(Codec.INT, Codec.LONG).deleteBatch(4);
        Blocks<Integer, Long> blocks = kept().typed(Codec.INT, Codec.LONG).lookupBatch(4);
        Cursor<Integer, Long> cursor = kept().typed(Codec.INT, Codec.LONG).walk(LostCursor.CONTINUE);
        assertThat(keptMaps()).hasSize(5);
        // That a forgotten map was collected shows that the others could have been.
        int forgotten = forget();
        Jmx.eventually(() -> {
            System.gc();
            return maps.openMaps().stream().noneMatch(info -> info.id() == forgotten);
        }, "a forgotten map is closed");
        view.update(1, 1L);
        update.add(1, 1L);
        update.close();
        delete.add(1);
        delete.close();
        assertThat(blocks.next()).isFalse();
        assertThat(cursor.next()).isFalse();
        assertThat(keptMaps()).hasSize(5);
    }

    private BpfMap kept() {
        return maps.create(new MapSpec(MapType.HASH, "fb_kept", 4, 8, 4, 0));
    }

    private List<MapInfo> keptMaps() {
        return maps.openMaps().stream().filter(info -> info.name().equals("fb_kept")).toList();
    }

    @Test
    void closingAMapAndItsGateWhileOthersReadItsMappingHurtsNobody() throws Exception {
        ExecutorService readers = Executors.newFixedThreadPool(3);
        for (int round = 0; round < 200; round++) {
            Gate gate = maps.newGate();
            BpfMap map = maps.create(new MapSpec(MapType.ARRAY, "fb_mapped", 4, 8, 64 * 1024, MapSpec.MMAPABLE));
            Mapping mapping = map.map(gate);
            AtomicLong reads = new AtomicLong();
            List<Future<?>> running = Stream.<Runnable>generate(() -> () -> readUntilClosed(gate, mapping, reads)).limit(3)
                    .<Future<?>>map(readers::submit).toList();
            awaitTen(reads);
            map.close();
            gate.close();
            for (Future<?> reader : running) {
                reader.get(1, TimeUnit.MINUTES);
            }
            assertThat(gate.enter()).isFalse();
        }
        readers.shutdown();
    }

    private static void awaitTen(AtomicLong reads) {
        long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
        while (reads.get() < 10) {
            assertThat(deadline - System.nanoTime()).as("nanoseconds left for ten reads").isPositive();
        }
    }

    private static void readUntilClosed(Gate gate, Mapping mapping, AtomicLong reads) {
        while (gate.enter()) {
            try {
                for (int offset = 0; offset < mapping.size(); offset += 4096) {
                    mapping.setLong(offset, mapping.getLongVolatile(offset) + 1);
                }
                reads.incrementAndGet();
            } finally {
                gate.exit();
            }
        }
    }

    @Test
    void closingAMapUnderCallsEndsThemWithASentence() throws Exception {
        ExecutorService readers = Executors.newFixedThreadPool(3);
        for (int round = 0; round < 200; round++) {
            BpfMap map = maps.create(SPEC);
            TypedMap<Integer, Long> entries = map.typed(Codec.INT, Codec.LONG);
            AtomicLong reads = new AtomicLong();
            List<Future<Throwable>> running = Stream.generate(() -> readers.submit(() -> {
                try {
                    while (true) {
                        entries.update(1, 1L);
                        entries.lookup(1);
                        reads.incrementAndGet();
                    }
                } catch (RuntimeException closed) {
                    return (Throwable) closed;
                }
            })).limit(3).toList();
            awaitTen(reads);
            map.close();
            for (Future<Throwable> reader : running) {
                assertThat(reader.get(1, TimeUnit.MINUTES)).isInstanceOf(IllegalStateException.class)
                        .hasMessage("the map fb_life is closed");
            }
        }
        readers.shutdown();
    }

    /** Of maps; those that another test forgot are closed before they are counted. */
    private long descriptors() throws IOException {
        Jmx.eventually(() -> {
            System.gc();
            return keptMaps().isEmpty();
        }, "other tests' maps are closed");
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            return open.filter(MapLifeTest::isMap).count();
        }
    }

    private static boolean isMap(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString().contains("bpf");
        } catch (IOException gone) {
            return false;
        }
    }
}
