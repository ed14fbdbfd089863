// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.management.MapOperationCounts;
import io.flowbypass.maps.Blocks;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.CallCounts;
import io.flowbypass.maps.MapInfo;
import io.flowbypass.maps.MapOperation;
import io.flowbypass.maps.MapService;
import io.flowbypass.maps.MapType;
import io.flowbypass.maps.PerCpu;
import io.flowbypass.maps.TypedMap;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MapsMBeanTest {
    private static final MapInfo SHORTS = new MapInfo(7, MapType.HASH, "shorts", 2, 2, 10, 0, "", "");
    private static final MapInfo COUNTS = new MapInfo(8, MapType.PERCPU_ARRAY, "counts", 4, 1, 10, 0, "", "");

    private int closed;
    private Object opened;

    private final MapService maps = Fakes.of(MapService.class, (method, arguments) -> switch (method) {
        case "openMaps" -> List.of(SHORTS, COUNTS);
        case "calls" -> new EnumMap<>(Map.of(MapOperation.LOOKUP, new CallCounts(10, 3), MapOperation.OPEN,
                new CallCounts(2, 0), MapOperation.PIN, new CallCounts(0, 0)));
        case "open" -> {
            opened = arguments[0];
            yield map(opened.equals(8) ? COUNTS : SHORTS);
        }
        default -> throw new UnsupportedOperationException(method);
    });
    private final MapsMBean mbean = new MapsMBean(maps);

    private BpfMap map(MapInfo info) {
        return Fakes.of(BpfMap.class, (method, arguments) -> switch (method) {
            case "info" -> info;
            case "typed" -> entries(new byte[] {(byte) 0xab, 2});
            case "perCpu" -> entries(new PerCpu<>(List.of(new byte[] {1}, new byte[] {2})));
            case "close" -> ++closed;
            default -> throw new UnsupportedOperationException(method);
        });
    }

    /** A map with the keys 0001 to 0103 in hexadecimal digits, in blocks of 100; only those that begin with 1 can be looked up. */
    private static TypedMap<?, ?> entries(Object value) {
        return Fakes.of(TypedMap.class, (method, arguments) -> switch (method) {
            case "lookup" -> ((byte[]) arguments[0])[0] == 1 ? Optional.of(value) : Optional.empty();
            case "lookupBatch" -> blocks(value);
            default -> throw new UnsupportedOperationException(method);
        });
    }

    private static Blocks<?, ?> blocks(Object value) {
        int[] block = {-1};
        return Fakes.of(Blocks.class, (method, arguments) -> switch (method) {
            case "next" -> ++block[0] < 3;
            case "size" -> block[0] < 2 ? 100 : 59;
            case "key" -> {
                int number = 100 * block[0] + (int) arguments[0] + 1;
                yield new byte[] {(byte) (number >> 8), (byte) number};
            }
            case "value" -> value;
            default -> throw new UnsupportedOperationException(method);
        });
    }

    @Test
    void looksUpAKeyInAMapGivenByNameOrPinAndClosesItAgain() {
        assertThat(mbean.lookup("shorts", "01 00")).isEqualTo("ab02");
        assertThat(opened).isEqualTo(7);
        assertThat(mbean.lookup("/sys/fs/bpf/x", "0200")).isEqualTo("no value for this key");
        assertThat(opened).hasToString("/sys/fs/bpf/x");
        assertThat(closed).isEqualTo(2);
    }

    @Test
    void showsALineForEachCpu() {
        assertThat(mbean.lookup("counts", "01000000")).isEqualTo("01\n02");
    }

    @Test
    void dumpsEntriesFromAnOffsetOn() {
        assertThat(mbean.dump("shorts", 0, 2)).isEqualTo("0001: ab02\n0002: ab02");
        assertThat(mbean.dump("/sys/fs/bpf/x", 99, 2)).isEqualTo("0064: ab02\n0065: ab02");
        assertThat(mbean.dump("counts", 257, 1000)).isEqualTo("0102: 01 02\n0103: 01 02");
        assertThat(mbean.dump("shorts", 0, 1000)).hasLineCount(259);
        assertThat(mbean.dump("shorts", 259, 1000)).isEqualTo("no entries from 259 on");
        assertThat(closed).isEqualTo(5);
        assertThatThrownBy(() -> mbean.dump("shorts", -1, 1)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("1 to 10000");
        assertThatThrownBy(() -> mbean.dump("shorts", 0, 10_001)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void countsEachOperationAndAllTogether() {
        assertThat(mbean.getCalls()).isEqualTo(12);
        assertThat(mbean.getErrors()).isEqualTo(3);
        assertThat(mbean.getOperations()).extracting(MapOperationCounts::getOperation).containsExactly("OPEN", "LOOKUP");
    }

    @Test
    void saysWhatIsWrongWithAKeyOrAName() {
        assertThatThrownBy(() -> mbean.lookup("shorts", "xy")).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("not hexadecimal");
        assertThatThrownBy(() -> mbean.lookup("shorts", "010203")).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("has 3 bytes: a key of map shorts has 2");
        assertThatThrownBy(() -> mbean.lookup("nothing", "01")).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("open are [shorts, counts]");
        assertThat(closed).isEqualTo(1);
        assertThatThrownBy(() -> mbean.lookup("shorts", null)).hasMessageContaining("there is no key");
        assertThatThrownBy(() -> mbean.dump(null, 0, 1)).hasMessageContaining("there is no map");
    }
}
