// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.control.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Clients at a socket. */
@Timeout(60)
class ServerTest {
    private static final String PING = "{\"op\":\"ping\",\"id\":%d}\n";
    private static final String FLOW = "\"proto\":\"TCP\",\"src_ip\":\"10.0.0.1\",\"src_port\":4000,"
            + "\"dest_ip\":\"10.0.0.2\",\"dest_port\":443";

    @TempDir
    Path directory;
    private final FakeTable table = new FakeTable();
    private final Counters counters = new Counters();
    private Server server;
    private SocketFile file;
    private final ArrayList<Client> clients = new ArrayList<>();

    @BeforeEach
    void open() throws IOException {
        Limits limits = new Limits(3, 1000, 80);
        server = new Server(new Operations(table, table.dataPlane(), counters, limits, System::nanoTime), counters, limits);
        file = SocketFile.open(directory.resolve("ctl.sock"), "");
        server.listen(file.channel());
    }

    @AfterEach
    void close() throws IOException {
        for (Client client : clients) {
            client.channel.close();
        }
        server.close();
        file.close();
    }

    private final class Client {
        final SocketChannel channel;
        final BufferedReader answers;

        Client() throws IOException {
            channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            channel.connect(UnixDomainSocketAddress.of(file.path()));
            answers = new BufferedReader(new InputStreamReader(Channels.newInputStream(channel), StandardCharsets.UTF_8));
            clients.add(this);
        }

        Client send(String text) throws IOException {
            return send(text.getBytes(StandardCharsets.UTF_8));
        }

        Client send(byte[] bytes) throws IOException {
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
            return this;
        }

        String answer() throws IOException {
            return answers.readLine();
        }
    }

    @Test
    void shouldAnswerThousandsOfLinesInOrder() throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 20_000; i++) {
            lines.append(String.format(PING, i));
        }
        Client client = new Client();
        client.send(lines.toString());
        for (int i = 0; i < 20_000; i++) {
            assertThat(client.answer()).isEqualTo("{\"id\":" + i + ",\"ok\":true}");
        }
        assertThat(counters.requests.sum()).isEqualTo(20_000);
    }

    @Test
    void shouldTakeALineInPieces() throws IOException {
        Client client = new Client();
        for (byte one : String.format(PING, 1).repeat(3).getBytes(StandardCharsets.UTF_8)) {
            client.send(new byte[] {one});
        }
        for (int i = 0; i < 3; i++) {
            assertThat(client.answer()).contains("\"ok\":true");
        }
    }

    @Test
    void shouldAnswerBehindAReleaseOnlyOnceThatIsDone() throws Exception {
        table.releases = new ArrayList<>();
        Client client = new Client();
        client.send("{\"op\":\"cut\"," + FLOW + "}\n{\"op\":\"release\",\"id\":1," + FLOW + "}\n" + String.format(PING, 2));
        assertThat(client.answer()).contains("\"added\":true");
        assertThat(new Client().send(String.format(PING, 3)).answer()).as("another client").contains("\"id\":3");
        client.send(String.format(PING, 4));
        assertThat(client.answers.ready()).as("nothing comes before the release").isFalse();
        table.releases.get(0).run();
        assertThat(client.answer()).startsWith("{\"id\":1,\"ok\":true,\"flow\":{\"id\":");
        assertThat(client.answer()).contains("\"id\":2");
        assertThat(client.answer()).contains("\"id\":4");
    }

    @Test
    void shouldGoOnBehindALineThatCannotBeRead() throws IOException {
        Client client = new Client();
        client.send("{\"op\":\"ping\"" + " ".repeat(100_000) + "}\n" + String.format(PING, 1));
        assertThat(client.answer()).contains("bad_request", "longer than 4096 bytes");
        assertThat(client.answer()).isEqualTo("{\"id\":1,\"ok\":true}");
        client.send(" ".repeat(4096 - 13) + "{\"op\":\"ping\"}\n").send(" ".repeat(4097 - 13) + "{\"op\":\"ping\"}\n");
        assertThat(client.answer()).contains("\"ok\":true");
        assertThat(client.answer()).contains("longer than 4096 bytes");
        client.send(new byte[] {'"', (byte) 0xc3, '"', '\n', (byte) 0xed, (byte) 0xa0, (byte) 0x80, '\n', 0, '\n',
                (byte) 0xff});
        client.send("\n" + String.format(PING, 2));
        assertThat(client.answer()).contains("bad_request", "not UTF-8");
        assertThat(client.answer()).contains("bad_request", "not UTF-8");
        assertThat(client.answer()).contains("bad_request", "not JSON");
        assertThat(client.answer()).contains("bad_request", "not UTF-8");
        assertThat(client.answer()).isEqualTo("{\"id\":2,\"ok\":true}");
    }

    @Test
    void shouldAnswerWhatCameBeforeTheClientEnded() throws IOException {
        Client client = new Client();
        client.send(String.format(PING, 1) + "{\"op\":\"ping\"}");
        client.channel.shutdownOutput();
        assertThat(client.answer()).contains("\"id\":1");
        assertThat(client.answer()).contains("\"ok\":true");
        assertThat(client.answer()).isNull();
    }

    @Test
    void shouldCloseAClientThatDoesNotReadAndServeTheOthersMeanwhile() throws Exception {
        Client slow = new Client();
        slow.channel.configureBlocking(false);
        byte[] lines = String.format(PING, 1).repeat(1000).getBytes(StandardCharsets.UTF_8);
        Client other = new Client();
        long taken = 0;
        int pings = 0;
        while (counters.closedAsSlow.sum() == 0) {
            try {
                taken += slow.channel.write(ByteBuffer.wrap(lines));
            } catch (IOException closed) {
                break;
            }
            assertThat(other.send(String.format(PING, pings)).answer()).contains("\"id\":" + pings);
            pings++;
        }
        assertThat(pings).isPositive();
        assertThat(taken).as("bytes that were taken from it").isLessThan(4L * Connection.MAX_WAITING_BYTES);
        assertThat(other.send(String.format(PING, 1)).answer()).contains("\"ok\":true");
        assertThat(counters.closedAsSlow.sum()).isEqualTo(1);
        assertThat(counters.connections.get()).isEqualTo(1);
    }

    @Test
    void shouldCloseWhoWasSilentLongestForOneMore() throws Exception {
        Client first = new Client();
        Client second = new Client();
        Client third = new Client();
        for (Client client : new Client[] {first, second, third, first}) {
            assertThat(client.send(String.format(PING, 1)).answer()).contains("\"ok\":true");
        }
        Client fourth = new Client();
        assertThat(fourth.send(String.format(PING, 1)).answer()).contains("\"ok\":true");
        assertThat(second.answer()).isNull();
        for (Client client : new Client[] {first, third, fourth}) {
            assertThat(client.send(String.format(PING, 1)).answer()).contains("\"ok\":true");
        }
        assertThat(counters.closedAsSilent.sum()).isEqualTo(1);
        assertThat(counters.accepted.sum()).isEqualTo(4);
    }

    @Test
    void shouldTurnAwayWhoIsOneTooManyWhileAllOthersAreBusy() throws Exception {
        table.releases = new ArrayList<>();
        Client first = new Client();
        for (Client client : new Client[] {first, new Client(), new Client()}) {
            client.send("{\"op\":\"cut\"," + FLOW + "}\n{\"op\":\"release\"," + FLOW + "}\n");
            assertThat(client.answer()).contains("\"added\":true");
        }
        Client fourth = new Client();
        assertThat(fourth.answer()).contains("unavailable", "3 connections");
        assertThat(fourth.answer()).isNull();
        table.releases.get(0).run();
        assertThat(first.answer()).contains("\"reason\":\"released\"");
        assertThat(new Client().send(String.format(PING, 1)).answer()).contains("\"ok\":true");
        assertThat(first.answer()).isNull();
        assertThat(counters.turnedAway.sum()).isEqualTo(1);
        assertThat(counters.accepted.sum()).isEqualTo(4);
    }

    @Test
    void shouldServeOnWhereAnErrorCameThrough() throws Exception {
        table.error = new StackOverflowError("on purpose");
        Client client = new Client();
        client.send("{\"op\":\"cut\"," + FLOW + "}\n");
        assertThat(client.answer()).as("its connection is closed").isNull();
        table.error = null;
        assertThat(new Client().send(String.format(PING, 1)).answer()).contains("\"ok\":true");
        assertThat(counters.connections.get()).isEqualTo(1);
    }

    @Test
    void shouldServeOthersBetweenTwoRequestsThatTakeTheirTime() throws Exception {
        Client slow = new Client();
        Client other = new Client();
        other.send(String.format(PING, 1)).answer();
        List<Long> requests = new CopyOnWriteArrayList<>();
        table.listed = () -> {
            try {
                if (requests.isEmpty()) {
                    other.send(String.format(PING, 2));
                }
                requests.add(counters.requests.sum());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            long end = System.nanoTime() + 2_000_000;
            while (System.nanoTime() < end) {
                Thread.onSpinWait();
            }
        };
        slow.send("{\"op\":\"cut\"," + FLOW + "}\n" + "{\"op\":\"list\"}\n".repeat(8));
        assertThat(slow.answer()).contains("\"added\":true");
        for (int i = 0; i < 8; i++) {
            assertThat(slow.answer()).contains("\"flows\"");
        }
        assertThat(other.answer()).contains("\"id\":2");
        assertThat(requests).as("requests by each list, the ping before the last one").hasSize(8).startsWith(3L).endsWith(11L);
    }

    @Test
    void shouldMoveWithoutLosingWhoIsConnected() throws IOException {
        Client before = new Client();
        before.send(String.format(PING, 1));
        before.answer();
        SocketFile old = file;
        file = SocketFile.open(directory.resolve("b/ctl.sock"), "");
        server.listen(file.channel());
        old.close();
        assertThat(old.path()).doesNotExist();
        assertThat(new Client().send(String.format(PING, 2)).answer()).contains("\"id\":2");
        assertThat(before.send(String.format(PING, 3)).answer()).contains("\"id\":3");
    }

    @Test
    void shouldTakeThePlaceOfADeadProcessOnly() throws IOException {
        assertThatThrownBy(() -> SocketFile.open(file.path(), "")).hasMessageContaining("another process");
        assertThat(new Client().send(String.format(PING, 1)).answer()).contains("\"ok\":true");
        Path left = directory.resolve("left");
        try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(left));
        }
        SocketFile mine = SocketFile.open(left, "");
        SocketFile.open(directory.resolve("other"), "").close();
        Files.delete(left);
        Files.createFile(left);
        mine.close();
        assertThat(left).as("a file in the place of the socket").exists();
        assertThatThrownBy(() -> SocketFile.open(left, "")).hasMessageContaining("no socket");
        assertThatThrownBy(() -> SocketFile.open(directory, "")).hasMessageContaining("is a directory");
        assertThatThrownBy(() -> SocketFile.open(Path.of(""), "")).hasMessageContaining("is a directory");
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files.map(path -> path.getFileName().toString())).containsExactlyInAnyOrder("ctl.sock", "left");
        }
    }

    @Test
    void shouldLetOwnerAndGroupAskAndNobodyElse() throws IOException {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file.path()))).isEqualTo("rw-rw----");
        assertThatThrownBy(() -> SocketFile.open(directory.resolve("a"), "no such group"))
                .hasMessageContaining("no such group");
        assertThat(directory.resolve("a")).doesNotExist();
    }

    @Test
    void shouldShortenANameThatAFlowCannotKeep() {
        assertThat(Server.asker("systemd-timesync")).isEqualTo("systemd-timesync");
        assertThat(Server.asker("a-name-of-18-chars")).isEqualTo("a-name-of-18-ch~");
        assertThat(Server.asker("ääääääääää")).isEqualTo("äääääää~");
    }
}
