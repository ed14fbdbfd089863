// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.records.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.flowbypass.flow.CutAction;
import io.flowbypass.flow.DirectionCounts;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowRecord;
import io.flowbypass.flow.FlowState;
import io.flowbypass.flow.Origin;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.BundleContext;

class FlowRecordsTest {
    @TempDir
    Path directory;
    private Path file;
    private final FlowRecords records = new FlowRecords();
    private final Map<String, Object> configured = new HashMap<>();

    @BeforeEach
    void activate() {
        file = directory.resolve("flows.json");
        configured.put("file", file.toString());
        BundleContext noServices = (BundleContext) Proxy.newProxyInstance(getClass().getClassLoader(),
                new Class<?>[] {BundleContext.class}, (proxy, method, arguments) -> null);
        records.activate(noServices, config());
    }

    @AfterEach
    void deactivate() {
        records.deactivate();
    }

    /** The configuration as SCR shows it: defaults where nothing is set, and an exception for what is no number. */
    private FlowRecords.Config config() {
        Map<String, Object> values = Map.copyOf(configured);
        return (FlowRecords.Config) Proxy.newProxyInstance(getClass().getClassLoader(),
                new Class<?>[] {FlowRecords.Config.class}, (proxy, method, arguments) -> {
                    Object value = values.getOrDefault(method.getName(), method.getDefaultValue());
                    if (value instanceof RuntimeException unreadable) {
                        throw unreadable;
                    }
                    return value;
                });
    }

    private void set(String key, Object value) {
        configured.put(key, value);
        records.modified(config());
    }

    private static FlowRecord record(int number) {
        FlowState flow = new FlowState(FlowKey.of(6, "128.232.110.120", 34855, "66.35.250.204", 80),
                new DirectionCounts(number, number, 0), new DirectionCounts(0, 0, 0), Instant.EPOCH, Instant.EPOCH,
                CutAction.DROP, Origin.OTHER, "", "", "");
        return new FlowRecord("1-0-" + number, flow, EndReason.IDLE, "idle");
    }

    private static List<FlowRecord> batch(int from, int to) {
        return IntStream.range(from, to).mapToObj(FlowRecordsTest::record).toList();
    }

    /** The ids in all files, the oldest first. */
    private List<String> ids() throws IOException {
        List<String> ids = new ArrayList<>();
        try (Stream<Path> all = Files.list(directory)) {
            for (Path each : all.filter(Files::isRegularFile).sorted((one, other) -> number(other) - number(one)).toList()) {
                for (String line : Files.readAllLines(each)) {
                    ids.add(new ObjectMapper().readTree(line).get("id").asText());
                }
            }
        }
        return ids;
    }

    private static int number(Path file) {
        String[] parts = file.getFileName().toString().split("\\.");
        return parts.length < 3 ? 0 : Integer.parseInt(parts[2]);
    }

    private static List<String> ids(List<FlowRecord> of) {
        return of.stream().map(FlowRecord::id).toList();
    }

    @Test
    void hasTakenARecordOnceItIsInTheFile() throws IOException {
        records.ended(batch(0, 2));
        assertThat(ids()).containsExactly("1-0-0", "1-0-1");
        records.ended(batch(2, 3));
        assertThat(ids()).containsExactly("1-0-0", "1-0-1", "1-0-2");
    }

    @Test
    void writesWhatIsThereAlreadyNotAgainWhenTheSameBatchComesAgain() throws IOException {
        set("rotate_bytes", 65536L);
        set("kept_files", 5);
        Path inTheWay = Files.createDirectories(directory.resolve("flows.json.5/full"));
        List<FlowRecord> batch = batch(0, 200);
        for (int times = 0; times < 2; times++) {
            assertThatThrownBy(() -> records.ended(batch)).isInstanceOf(UncheckedIOException.class);
        }
        int before = ids().size();
        assertThat(before).as("records that got into the first file").isBetween(50, 180);
        Files.delete(inTheWay);
        Files.delete(inTheWay.getParent());
        records.ended(batch);
        records.ended(batch(200, 201));
        assertThat(ids()).isEqualTo(ids(batch(0, 201)));
    }

    @Test
    void keepsALargeBatchWithinTheSizeOfAFile() throws IOException {
        set("rotate_bytes", 65_536L);
        set("kept_files", 100);
        records.ended(batch(0, 1000));
        assertThat(ids()).isEqualTo(ids(batch(0, 1000)));
        try (Stream<Path> all = Files.list(directory)) {
            assertThat(all).hasSizeGreaterThan(4)
                    .allSatisfy(each -> assertThat(Files.size(each)).isLessThanOrEqualTo(65_536));
        }
    }

    @Test
    void goesByAChangeAtOnce() throws IOException {
        records.ended(batch(0, 1));
        Path other = directory.resolve("other.json");
        configured.put("community_id_seed", 1);
        set("file", other.toString());
        records.ended(batch(1, 2));

        assertThat(Files.readAllLines(file)).hasSize(1).first().asString().contains("1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
        JsonNode moved = new ObjectMapper().readTree(Files.readString(other));
        assertThat(moved.get("id").asText()).isEqualTo("1-0-1");
        assertThat(moved.get("community_id").asText()).isEqualTo("1:3V71V58M3Ksw/yuFALMcW0LAHvc=");
    }

    @Test
    void keepsTheOldValueInThePlaceOfABadOneAndTakesTheOthers() throws IOException {
        set("community_id_seed", 1);
        configured.put("kept_files", 0);
        configured.put("rotate_seconds", new IllegalStateException("For input string: \"abc\""));
        configured.put("community_id_seed", 65536);
        configured.put("rotate_bytes", 70_000L);
        set("file", "/proc/no/such/place");
        records.ended(batch(0, 300));

        assertThat(ids()).isEqualTo(ids(batch(0, 300)));
        assertThat(directory.resolve("flows.json.1")).as("the next file").exists();
        assertThat(Files.readAllLines(file)).first().asString().contains("1:3V71V58M3Ksw/yuFALMcW0LAHvc=");
    }

    @Test
    void writesNothingTwiceWhenARecordInTheMiddleFailed() throws IOException {
        List<FlowRecord> broken = new ArrayList<>(batch(0, 3));
        FlowRecord good = broken.set(2, null);
        assertThatThrownBy(() -> records.ended(broken)).isInstanceOf(NullPointerException.class);
        broken.set(2, good);
        records.ended(broken);
        assertThat(ids()).isEqualTo(ids(batch(0, 3)));
    }

    @Test
    void refusesTheRootOfTheFileSystemAsAFile() throws IOException {
        set("file", "/");
        records.ended(batch(0, 1));
        assertThat(ids()).containsExactly("1-0-0");
    }

    @Test
    void takesAllAndWritesNothingWhereThereIsToBeNoFile() throws IOException {
        set("file", "");
        records.ended(batch(0, 1));
        assertThat(ids()).isEmpty();
        set("file", file.toString());
        records.ended(batch(1, 2));
        assertThat(ids()).containsExactly("1-0-1");
    }

    @Test
    void takesNothingOnceItIsStopped() throws IOException {
        records.deactivate();
        assertThatThrownBy(() -> records.ended(batch(0, 1))).isInstanceOf(IllegalStateException.class);
        assertThat(ids()).isEmpty();
    }
}
