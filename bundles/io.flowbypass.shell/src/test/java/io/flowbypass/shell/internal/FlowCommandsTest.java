// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.shell.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.flow.BypassRequest;
import io.flowbypass.flow.CutAction;
import io.flowbypass.flow.Decision;
import io.flowbypass.flow.Difference;
import io.flowbypass.flow.Direction;
import io.flowbypass.flow.DirectionCounts;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowState;
import io.flowbypass.flow.FlowSweeper;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.flow.FlowTest;
import io.flowbypass.flow.FlowView;
import io.flowbypass.flow.Origin;
import io.flowbypass.flow.TableStatistics;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import org.apache.felix.service.command.CommandSession;
import org.junit.jupiter.api.Test;

class FlowCommandsTest {
    private int flows = 3;
    private int shown;
    private int found;
    private BypassRequest asked;

    /** Of a key of {@link #flow}, its number. */
    private static int number(FlowKey key) {
        int low = (int) key.sourceLow() & 0xffff;
        return (key.sourcePort() - 1) * 62500 + (low >> 8) * 250 + (low & 0xff);
    }

    private interface Table extends FlowTable, FlowSweeper {
    }

    private final FlowTable table = fake(Table.class, (method, arguments) -> switch (method) {
        case "bypass" -> {
            asked = (BypassRequest) arguments[0];
            yield true;
        }
        case "compare" -> compare((FlowTest) arguments[1]);
        case "find" -> find((FlowKey) arguments[0]);
        case "release" -> CompletableFuture.completedFuture(Optional.empty());
        case "statistics" -> new TableStatistics(flows, 0, 8, 0, 0, 0, 0, 0, 0, 0);
        case "flush" -> flows;
        default -> throw new UnsupportedOperationException(method);
    });
    private final FlowCommands commands = new FlowCommands(table);

    private static <T> T fake(Class<T> type, BiFunction<String, Object[], Object> answer) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type},
                (self, method, arguments) -> method.isDefault()
                        ? InvocationHandler.invokeDefault(self, method, arguments)
                        : answer.apply(method.getName(), arguments)));
    }

    /** The flow i has i packets, but for its bytes, which are those of a permutation. */
    private static FlowState flow(int i) {
        FlowKey key = FlowKey.of(i % 2 == 0 ? 6 : 17, "10.0." + i / 250 % 250 + "." + i % 250, i / 62500 + 1, "192.0.2.1",
                443);
        return new FlowState(key, new DirectionCounts(i, i * 7919L % 1000003, 0), new DirectionCounts(0, 0, 0),
                Instant.EPOCH, Instant.EPOCH, CutAction.DROP, Origin.ZEEK, "", "", "");
    }

    /** Shows one flow after the other, until one is different. */
    private List<Difference> compare(FlowTest other) {
        int[] at = new int[1];
        FlowView view = fake(FlowView.class, (method, arguments) -> switch (method) {
            case "protocol" -> at[0] % 2 == 0 ? 6 : 17;
            case "bytes" -> arguments[0] == Direction.FORWARD ? at[0] * 7919L % 1000003 : 0;
            case "packets" -> arguments[0] == Direction.FORWARD ? at[0] : 0L;
            case "ageNanos" -> 7L;
            case "key" -> flow(at[0]).key();
            default -> throw new UnsupportedOperationException(method);
        });
        for (; at[0] < flows; at[0]++) {
            shown++;
            if (other.decide(view).ends()) {
                return List.of(new Difference(view.key(), Decision.KEEP, Decision.KEEP));
            }
        }
        return List.of();
    }

    private Optional<FlowState> find(FlowKey key) {
        found++;
        return key.destinationPort() == 443 && number(key) < flows ? Optional.of(flow(number(key))) : Optional.empty();
    }

    private static String said(Runnable command) {
        PrintStream before = System.out;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        System.setOut(new PrintStream(said, true));
        try {
            command.run();
        } finally {
            System.setOut(before);
        }
        return said.toString();
    }

    @Test
    void shouldBypassByTheSameWordsAsJmx() {
        assertThat(said(() -> commands.bypass("tcp", "10.0.0.1", "4000", "10.0.0.2", "443", "count", "vlan=7")))
                .isEqualTo("bypassed TCP 10.0.0.1:4000 > 10.0.0.2:443 vlan 7\n");
        assertThat(asked.action()).isEqualTo(CutAction.COUNT);
        assertThat(asked.asker()).isEqualTo("shell");
        assertThat(asked.origin()).isEqualTo(Origin.MANUAL);
    }

    @Test
    void shouldRefuseABadFlowInASentence() {
        assertThatThrownBy(() -> commands.bypass("tcp", "10.0.0.1", "70000", "10.0.0.2", "443"))
                .hasMessage("source port \"70000\" is not a number from 0 to 65535");
        assertThatThrownBy(() -> commands.find("tcp", "nowhere", "1", "10.0.0.2", "443"))
                .hasMessageContaining("not an IP address");
        assertThatThrownBy(() -> commands.release("tcp", "10.0.0.1")).hasMessageContaining("usage: flow:release PROTOCOL");
        assertThatThrownBy(() -> commands.find("tcp", "10.0.0.1", "1", "10.0.0.2", "443", "count"))
                .hasMessageContaining("only vlan");
    }

    @Test
    void shouldSayThatAFlowIsNotBypassed() {
        String[] key = {"udp", "10.0.0.1", "1", "10.0.0.2", "53"};
        assertThat(said(() -> commands.find(key))).isEqualTo("not bypassed: UDP 10.0.0.1:1 > 10.0.0.2:53\n");
        assertThat(said(() -> commands.release(key))).isEqualTo("not bypassed: UDP 10.0.0.1:1 > 10.0.0.2:53\n");
        assertThat(said(() -> commands.find("udp", "10.0.0.1", "1", "10.0.0.2", "53", "--json")))
                .isEqualTo("{\"message\":\"not bypassed: UDP 10.0.0.1:1 > 10.0.0.2:53\"}\n");
    }

    @Test
    void shouldListAPageAndSayWhereTheNextOneBegins() {
        flows = 25;
        List<String> lines = said(() -> commands.list("--limit", "10", "--offset", "10")).lines().toList();

        assertThat(lines).hasSize(12);
        assertThat(lines.get(1)).startsWith("TCP 10.0.0.10:1 > 192.0.2.1:443").endsWith("zeek");
        assertThat(lines.get(11)).isEqualTo("flows 11 to 20; there are more: --offset 20");
        assertThat(said(() -> commands.list("--limit", "10", "--offset", "15"))).doesNotContain("more");
    }

    @Test
    void shouldSortAMillionFlowsByBytesInOneLook() {
        flows = 1_000_000;
        List<String> largest = IntStream.range(0, flows).mapToObj(i -> new long[] {i * 7919L % 1000003, i})
                .sorted((a, b) -> Long.compare(b[0], a[0])).limit(3).map(pair -> String.valueOf(pair[0])).toList();
        List<String> lines = said(() -> commands.list("--sort", "bytes", "--limit", "3")).lines().toList();

        assertThat(lines.subList(1, 4)).map(line -> line.split("\\s+")[5]).isEqualTo(largest);
        assertThat(lines.get(4)).isEqualTo("flows 1 to 3; there are more: --offset 3");
        assertThat(shown).isEqualTo(flows);
        assertThat(found).as("asked for one by one").isEqualTo(3);
        assertThat(said(() -> commands.list("--sort", "bytes", "--limit", "1", "--offset", "2")).lines().skip(1).findFirst())
                .contains(lines.get(3));
        assertThatThrownBy(() -> commands.list("--sort", "bytes", "--offset", "9999", "--limit", "2"))
                .hasMessageContaining("a sorted list ends at flow 10000");
    }

    @Test
    void shouldShowEachOfEqualFlowsOnOnePageOfASortedList() {
        flows = 25;
        List<String> lines = IntStream.range(0, 5).mapToObj(page -> said(() -> commands.list("--sort", "age", "--limit", "5",
                "--offset", String.valueOf(5 * page)))).flatMap(String::lines).filter(line -> line.contains(">")).toList();
        assertThat(lines).hasSize(25).doesNotHaveDuplicates();
    }

    @Test
    void shouldReadNoMoreOfTheTableThanAPageNeeds() {
        flows = 1_000_000;
        assertThat(said(() -> commands.list("--limit", "10", "--offset", "10"))).contains("there are more: --offset 20");
        assertThat(shown).isEqualTo(21);
    }

    @Test
    void shouldSayThatThereAreMoreOnlyOfThoseThatAreWanted() {
        flows = 20;
        assertThat(said(() -> commands.list("--sort", "packets", "--limit", "10", "--protocol", "udp")).lines())
                .hasSize(11).noneMatch(line -> line.contains("more"));
        assertThat(said(() -> commands.list("--sort", "packets", "--limit", "9", "--protocol", "udp")))
                .contains("--offset 9");
    }

    @Test
    void shouldFilter() {
        flows = 30;
        assertThat(said(() -> commands.list("--protocol", "udp", "--limit", "100")).lines()).hasSize(16);
        assertThat(said(() -> commands.list("--address", "10.0.0.7")).lines()).hasSize(2);
        assertThat(said(() -> commands.list("--address", "192.0.2.1", "--limit", "100")).lines()).hasSize(31);
        assertThat(said(() -> commands.list("--port", "2")).lines()).hasSize(1);
        assertThat(said(() -> commands.list("--origin", "zeek", "--limit", "100")).lines()).hasSize(31);
        assertThat(said(() -> commands.list("--origin", "suricata", "--json"))).isEqualTo("[]\n");
        assertThatThrownBy(() -> commands.list("--origin", "snort")).hasMessageContaining("manual, zeek, suricata");
        assertThatThrownBy(() -> commands.list("--sort", "size"))
                .hasMessageContaining("bytes, packets, idle or age");
    }

    @Test
    void shouldWriteFlowsAsJson() {
        flows = 1;
        assertThat(said(() -> commands.list("--json")))
                .startsWith("[{\"proto\":\"TCP\",\"src_ip\":\"10.0.0.0\",\"src_port\":1,")
                .contains("\"dest_port\":443,\"action\":\"drop\",\"origin\":\"zeek\",\"pkts_toserver\":0,")
                .containsPattern("\"start\":\"\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:00.000000[+-]\\d{4}\","
                        + "\"last\":\"[^\"]+\"}]\n$");
    }

    @Test
    void shouldRefreshAsOftenAsIsAskedForOrUntilAKey() {
        CommandSession quiet = session(new byte[0]);
        assertThat(said(() -> commands.top(quiet, "--count", "2", "--json")).lines()).hasSize(2);
        assertThat(said(() -> commands.top(session(new byte[] {'q'}))).lines()).isEmpty();
    }

    private static CommandSession session(byte[] keys) {
        ByteArrayInputStream keyboard = new ByteArrayInputStream(keys);
        return fake(CommandSession.class, (method, arguments) -> keyboard);
    }

    @Test
    void shouldSayOfEachCommandHowItIsUsed() {
        assertThat(said(() -> commands.top(null, "--help"))).contains("usage: flow:top [--limit N] [--count N]");
        for (String usage : List.of(said(() -> commands.bypass("--help")), said(() -> commands.release("x", "--help")),
                said(() -> commands.find("--help")), said(() -> commands.list("--help")),
                said(() -> commands.flush("--help")))) {
            assertThat(usage.lines()).hasSize(2).last().asString().startsWith("usage: flow:");
        }
    }
}
