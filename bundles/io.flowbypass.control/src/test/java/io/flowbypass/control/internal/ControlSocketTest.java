// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.control.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The socket as it is configured. */
class ControlSocketTest {
    @TempDir
    Path directory;
    private final FakeTable table = new FakeTable();

    private ControlSocket open(ControlSocket.Config config) throws IOException {
        return new ControlSocket(table, table.dataPlane(), config);
    }

    private ControlSocket.Config at(String name, Object... more) {
        Map<String, Object> values = new HashMap<>(Map.of("socket_path", directory.resolve(name).toString()));
        for (int i = 0; i < more.length; i += 2) {
            values.put((String) more[i], more[i + 1]);
        }
        return (ControlSocket.Config) Proxy.newProxyInstance(getClass().getClassLoader(),
                new Class<?>[] {ControlSocket.Config.class},
                (self, method, arguments) -> values.getOrDefault(method.getName(), method.getDefaultValue()));
    }

    @Test
    void shouldMoveAndRemoveTheSocket() throws IOException {
        ControlSocket socket = open(at("a"));
        assertThat(directory.resolve("a")).exists();
        socket.modified(at("b"));
        assertThat(directory.resolve("a")).doesNotExist();
        assertThat(directory.resolve("b")).exists();
        socket.deactivate();
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void shouldStayWhereItIsWhenItCannotMove() throws IOException {
        ControlSocket socket = open(at("a"));
        Files.createFile(directory.resolve("b"));
        socket.modified(at("b"));
        socket.modified(at("a", "socket_group", "no such group"));
        assertThat(directory.resolve("a")).exists();
        socket.deactivate();
        assertThat(directory.resolve("a")).doesNotExist();
        assertThat(directory.resolve("b")).isEmptyFile();
    }

    @Test
    void shouldBeMadeOnceItsPlaceIsMended() throws IOException {
        ControlSocket first = open(at("a"));
        ControlSocket second = open(at("a"));
        second.modified(at("b"));
        assertThat(directory.resolve("b")).exists();
        second.deactivate();
        assertThat(directory.resolve("a")).as("the other's").exists();
        first.deactivate();
    }

    @Test
    void shouldRefuseLimitsOutOfRange() throws IOException {
        assertThatThrownBy(() -> open(at("a", "connections", 0))).hasMessageContaining("1 to 1000");
        assertThat(directory).isEmptyDirectory();
        ControlSocket socket = open(at("a"));
        assertThatThrownBy(() -> socket.modified(at("b", "cuts_per_second", 0))).hasMessageContaining("cuts.per.second");
        assertThatThrownBy(() -> socket.modified(at("b", "share_percent", 101))).hasMessageContaining("share.percent");
        assertThat(directory.resolve("a")).exists();
        socket.deactivate();
    }
}
