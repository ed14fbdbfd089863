// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

class AttachmentsTest {
    private final Map<String, Hashtable<String, Object>> stored = new ConcurrentHashMap<>();
    private int created;
    private String problem = "";
    private RuntimeException failure;

    private final ConfigurationAdmin admin = fake(ConfigurationAdmin.class, (method, arguments) -> switch (method) {
        case "createFactoryConfiguration" -> configuration(arguments[0] + "." + ++created);
        case "listConfigurations" -> stored.keySet().stream().map(this::configuration).toArray(Configuration[]::new);
        default -> throw new UnsupportedOperationException(method);
    });
    private final DataPlane dataPlane = fake(DataPlane.class, (method, arguments) -> {
        if (failure != null) {
            throw failure;
        }
        return stored.values().stream().map(each -> new Attachment(each.get("interface").toString(), "native", 7, "",
                problem.isEmpty(), problem)).toList();
    });
    private final Attachments attachments = new Attachments(admin, dataPlane);

    private static <T> T fake(Class<T> type, BiFunction<String, Object[], Object> answer) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type},
                (self, method, arguments) -> answer.apply(method.getName(), arguments)));
    }

    private Configuration configuration(String pid) {
        return fake(Configuration.class, (method, arguments) -> switch (method) {
            case "getPid" -> pid;
            case "getProperties" -> stored.get(pid);
            case "update" -> stored.put(pid, new Hashtable<>(cast(arguments[0])));
            case "delete" -> stored.remove(pid);
            default -> throw new UnsupportedOperationException(method);
        });
    }

    @SuppressWarnings("unchecked")
    private static Hashtable<String, Object> cast(Object properties) {
        return (Hashtable<String, Object>) properties;
    }

    @Test
    void attachesByAFactoryConfigurationThatNoFileIsNamedAfter() {
        assertThat(attachments.attach("eth-1", "native")).isEqualTo("eth-1 is attached in native mode, program 7");
        assertThat(stored).containsOnlyKeys("io.flowbypass.xdp.interface.1");
        assertThat(stored.get("io.flowbypass.xdp.interface.1")).containsOnly(Map.entry("interface", "eth-1"),
                Map.entry("mode", "native"));
    }

    @Test
    void leavesTheModeOutWhereNoneIsGiven() {
        attachments.attach("eth1", "");

        assertThat(stored.get("io.flowbypass.xdp.interface.1")).containsOnlyKeys("interface");
    }

    @Test
    void leavesNothingBehindWhereTheInterfaceHasAProblem() {
        problem = "eth1 does not exist: create it first";

        assertThatThrownBy(() -> attachments.attach("eth1", "native")).isInstanceOf(IllegalStateException.class)
                .hasMessage(problem);
        assertThat(stored).isEmpty();
    }

    @Test
    void leavesNothingBehindWhereTheDataPlaneFails() {
        failure = new UnsupportedOperationException("no such map");

        assertThatThrownBy(() -> attachments.attach("eth1", "native")).isSameAs(failure);
        assertThat(stored).isEmpty();
    }

    @Test
    void refusesAnInterfaceThatIsConfiguredAlreadyAndTouchesNothing() {
        attachments.attach("eth1", "native");

        assertThatThrownBy(() -> attachments.attach("eth1", "generic")).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("eth1 is configured already").hasMessageContaining("detach it first");
        assertThat(stored.get("io.flowbypass.xdp.interface.1")).containsEntry("mode", "native");
    }

    @Test
    void detachesByTheInterfaceWhateverItsConfigurationIsNamed(@TempDir Path etc) throws Exception {
        Path file = Files.createFile(etc.resolve("io.flowbypass.xdp.interface-uplink.cfg"));
        stored.put("io.flowbypass.xdp.interface~uplink", new Hashtable<>(
                Map.of("interface", "eth1", "felix.fileinstall.filename", file.toUri().toString())));

        assertThat(attachments.detach("eth1")).startsWith("eth1 is detached").contains(file.toString())
                .contains("delete it");
        assertThat(stored).isEmpty();
    }

    @Test
    void saysThatConfigurationAdminIsMissing() {
        assertThatThrownBy(() -> new Attachments(null, dataPlane)).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("Configuration Admin");
    }

    @Test
    void saysWhatIsConfiguredWhenAskedToDetachSomethingElse() {
        attachments.attach("eth1", "native");

        assertThatThrownBy(() -> attachments.detach("eth2")).isInstanceOf(IllegalStateException.class)
                .hasMessage("eth2 is not configured: configured are " + List.of("eth1"));
    }
}
