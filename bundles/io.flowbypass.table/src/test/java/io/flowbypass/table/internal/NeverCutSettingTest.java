// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.flowbypass.flow.FlowKey;
import java.lang.reflect.Proxy;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

class NeverCutSettingTest {
    private static final FlowKey OWN = FlowKey.of(0, "198.51.100.1", 0, "198.51.100.1", 0);

    private Hashtable<String, Object> stored = new Hashtable<>(Map.of("durable.listeners", "records"));
    private int forgotten;
    /** What the component was told; it is not told of the next changes. */
    private String told = "";
    private int untold;
    private boolean stopping;

    private final Configuration configuration = fake(Configuration.class, (method, arguments) -> switch (method) {
        case "getProperties" -> new Hashtable<>(stored);
        case "updateIfDifferent" -> {
            if (forgotten-- <= 0 && !stored.equals(arguments[0])) {
                store(arguments[0]);
            }
            yield true;
        }
        case "update" -> {
            store(arguments[0]);
            yield null;
        }
        default -> throw new UnsupportedOperationException(method);
    });
    private final ConfigurationAdmin admin = fake(ConfigurationAdmin.class, (method, arguments) -> {
        if (stopping) {
            throw new IllegalStateException("BundleContext is no longer valid");
        }
        return configuration;
    });
    private final NeverCutSetting list = new NeverCutSetting(() -> admin, () -> NeverCut.of(List.of(OWN),
            NeverCut.list(told)));

    private static <T> T fake(Class<T> type, BiFunction<String, Object[], Object> answer) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type},
                (self, method, arguments) -> answer.apply(method.getName(), arguments)));
    }

    private void store(Object properties) {
        stored = copy(properties);
        if (untold-- <= 0) {
            told = stored.get("never.cut").toString();
        }
    }

    @SuppressWarnings("unchecked")
    private static Hashtable<String, Object> copy(Object properties) {
        return new Hashtable<>((Map<String, Object>) (Dictionary<String, Object>) properties);
    }

    @Test
    void shouldAddAnEntryAndKeepTheOtherSettings() {
        assertThat(list.add("192.0.2.0/24")).isTrue();
        assertThat(list.add(" 2001:db8::1   tcp/22 ")).isTrue();

        assertThat(list.entries()).containsExactly("192.0.2.0/24", "2001:db8::1   tcp/22");
        assertThat(list.ownAddresses()).containsExactly("198.51.100.1");
        assertThat(stored).containsEntry("durable.listeners", "records");
    }

    @Test
    void shouldKnowAnEntryThatIsWrittenInAnotherWay() {
        list.add("192.0.2.0/24 tcp");

        assertThat(list.add("192.0.2.77/24 6")).isFalse();
        assertThat(list.add("192.0.2.0/24")).isTrue();
        assertThat(list.remove("192.0.2.1/24 TCP")).isTrue();
        assertThat(list.remove("192.0.2.1/24 TCP")).isFalse();
        assertThat(list.entries()).containsExactly("192.0.2.0/24");
    }

    @Test
    void shouldRefuseWhatCannotBeReadAndChangeNothing() {
        list.add("192.0.2.0/24");

        assertThatThrownBy(() -> list.add("192.0.2.0/33")).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("\"33\" is not a number from 0 to 32");
        assertThatThrownBy(() -> list.add("192.0.2.9, 192.0.2.8")).isInstanceOf(IllegalArgumentException.class);
        assertThat(list.entries()).containsExactly("192.0.2.0/24");
    }

    @Test
    void shouldStoreAgainWhatFileInstallTookBack() {
        forgotten = 2;

        assertThat(list.add("192.0.2.0/24")).isTrue();
        assertThat(list.entries()).containsExactly("192.0.2.0/24");
    }

    @Test
    void shouldStoreAgainWhatTheComponentWasNotToldOf() {
        untold = 2;

        assertThat(list.add("192.0.2.0/24")).isTrue();
        assertThat(list.entries()).containsExactly("192.0.2.0/24");
        assertThat(stored).containsEntry("durable.listeners", "records");
    }

    @Test
    void shouldPutInForceWhatWasStoredBeforeAndIsNot() {
        stored.put("never.cut", "192.0.2.0/24");

        assertThat(list.add("192.0.2.0/24")).isFalse();
        assertThat(list.entries()).containsExactly("192.0.2.0/24");
    }

    @Test
    void shouldSayThatConfigurationAdminIsBeingStopped() {
        stopping = true;

        assertThatThrownBy(() -> list.add("192.0.2.1")).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("Configuration Admin, which keeps it, is being stopped");
        assertThat(list.entries()).isEmpty();
    }

    @Test
    void shouldSayThatConfigurationAdminIsMissing() {
        assertThatThrownBy(() -> new NeverCutSetting(() -> null, () -> null).add("192.0.2.1"))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("Configuration Admin");
    }
}
