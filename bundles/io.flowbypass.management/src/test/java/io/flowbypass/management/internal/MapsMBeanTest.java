// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.management.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.MapInfo;
import io.flowbypass.maps.MapService;
import io.flowbypass.maps.MapType;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MapsMBeanTest {
    private static final MapInfo SHORTS = new MapInfo(7, MapType.HASH, "shorts", 2, 2, 10, 0);
    private static final MapInfo COUNTS = new MapInfo(8, MapType.PERCPU_ARRAY, "counts", 4, 1, 10, 0);

    private int closed;
    private Object opened;

    private final MapService maps = Fakes.of(MapService.class, (method, arguments) -> switch (method) {
        case "openMaps" -> List.of(SHORTS, COUNTS);
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
            case "lookup" -> ((byte[]) arguments[0])[0] == 1 ? Optional.of(new byte[] {(byte) 0xab, 2}) : Optional.empty();
            case "lookupPerCpu" -> List.of(new byte[] {1}, new byte[] {2});
            case "close" -> ++closed;
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
        assertThat(mbean.lookup("counts", "00000000")).isEqualTo("01\n02");
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
    }
}
