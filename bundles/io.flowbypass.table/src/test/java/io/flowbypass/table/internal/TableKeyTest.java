// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.table.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.flow.FlowKey;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TableKeyTest {
    private static final int QUESTION_BYTES = 64;
    private static final int ANSWER_BYTES = 7 * 8 + 4 * 4;
    private static final int KEYS = 1_000_000;
    private static final int BUCKETS = 87_382;

    @TempDir
    static Path directory;
    private static Path program;

    @BeforeAll
    static void compileTheHeaderThatXdpIncludes() throws Exception {
        program = directory.resolve("key");
        Process clang = new ProcessBuilder("clang", "-O2", "-Wall", "-Werror", "-I../../bpf", "src/test/c/key.c", "-o",
                program.toString()).redirectErrorStream(true).start();
        String said = new String(clang.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(clang.waitFor()).as(said).isZero();
    }

    @Test
    void shouldComputeTheSameAsXdpForAMillionRandomKeys() throws Exception {
        long seed = new Random().nextLong();
        Process c = new ProcessBuilder(program.toString()).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        Thread asking = new Thread(() -> ask(new Random(seed), c.getOutputStream()));
        asking.start();
        Random random = new Random(seed);
        long hashSeed = random.nextLong();
        long secondSeed = random.nextLong();
        TableKey key = new TableKey();
        byte[] answer = new byte[ANSWER_BYTES];
        try (DataInputStream answers = new DataInputStream(c.getInputStream())) {
            for (int i = 0; i < KEYS; i++) {
                FlowKey flow = randomKey(random);
                answers.readFully(answer);
                ByteBuffer of = ByteBuffer.wrap(answer).order(ByteOrder.LITTLE_ENDIAN);
                int direction = key.set(flow);
                long hash = key.hash(hashSeed);
                int tag = TableKey.tag(hash);
                if (hash != of.getLong() || key.hash(secondSeed) != of.getLong()
                        || key.addr[0] != of.getLong() || key.addr[1] != of.getLong() || key.addr[2] != of.getLong()
                        || key.addr[3] != of.getLong() || key.ports != of.getLong() || tag != of.getInt()
                        || TableKey.bucket1(hash, BUCKETS) != of.getInt()
                        || TableKey.bucket2(hash, BUCKETS) != of.getInt() || direction != of.getInt()) {
                    throw new AssertionError(flow + " differs, with the random seed " + seed);
                }
            }
        }
        asking.join();
        assertThat(c.waitFor()).isZero();
    }

    @Test
    void shouldHaveTheLayoutOfTheHeader() throws Exception {
        Process c = new ProcessBuilder(program.toString(), "layout").start();
        String[] lines = new String(c.getInputStream().readAllBytes(), StandardCharsets.UTF_8).split("\n");
        assertThat(lines).hasSizeGreaterThan(30);
        for (String line : lines) {
            String[] words = line.split(" ");
            Field field = Layout.class.getDeclaredField(words[0]);
            assertThat(field.getInt(null)).as(words[0]).isEqualTo(Integer.parseInt(words[1]));
        }
    }

    @Test
    void shouldBeTheSameKeyInBothDirections() {
        FlowKey flow = FlowKey.of(6, "2001:db8::2", 443, "2001:db8::1", 40000);
        TableKey one = new TableKey();
        TableKey other = new TableKey();
        assertThat(one.set(flow)).isNotEqualTo(other.set(flow.reversed()));
        assertThat(one.hash(1)).isEqualTo(other.hash(1));
        assertThat(one.addr).isEqualTo(other.addr);
        assertThat(one.ports).isEqualTo(other.ports);
    }

    @Test
    void shouldGiveBackTheKeyInTheAskersDirection() {
        Random random = new Random(1);
        TableKey key = new TableKey();
        for (int i = 0; i < 1000; i++) {
            FlowKey flow = randomKey(random);
            assertThat(key.toFlowKey(key.set(flow))).isEqualTo(flow);
        }
    }

    /** Half IPv4, half IPv6; now and then equal addresses, so that the ports decide, or addresses alike in one half. */
    private static FlowKey randomKey(Random random) {
        boolean ipv6 = random.nextBoolean();
        int alike = random.nextInt(8);
        long high = ipv6 ? random.nextLong() : 0;
        long low = random.nextLong() & (ipv6 ? -1L : 0xffffffffL);
        long otherHigh = alike < 2 ? high : ipv6 ? random.nextLong() : 0;
        long otherLow = alike == 0 ? low : random.nextLong() & (ipv6 ? -1L : 0xffffffffL);
        return FlowKey.ofHalves(ipv6, random.nextBoolean() ? 6 : 17, high, low, random.nextInt(65536), otherHigh,
                otherLow, random.nextInt(65536)).withVlans(alike < 4 ? random.nextInt(4096) : 0, random.nextInt(4096));
    }

    private static void ask(Random random, OutputStream c) {
        long hashSeed = random.nextLong();
        long secondSeed = random.nextLong();
        byte[] question = new byte[QUESTION_BYTES];
        try (OutputStream questions = new BufferedOutputStream(c, 1 << 16)) {
            for (int i = 0; i < KEYS; i++) {
                FlowKey flow = randomKey(random);
                ByteBuffer of = ByteBuffer.wrap(question).order(ByteOrder.BIG_ENDIAN);
                address(of, 0, flow.isIpv6(), flow.sourceHigh(), flow.sourceLow());
                address(of, 16, flow.isIpv6(), flow.destinationHigh(), flow.destinationLow());
                of.putShort(32, (short) flow.sourcePort()).putShort(34, (short) flow.destinationPort());
                of.put(36, (byte) flow.protocol()).put(37, (byte) (flow.isIpv6() ? 6 : 4));
                of.order(ByteOrder.LITTLE_ENDIAN).putLong(40, hashSeed).putLong(48, secondSeed).putInt(56, BUCKETS).putInt(60, flow.outerVlan() | flow.innerVlan() << 16);
                questions.write(question);
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void address(ByteBuffer of, int at, boolean ipv6, long high, long low) {
        if (ipv6) {
            of.putLong(at, high).putLong(at + 8, low);
        } else {
            of.putLong(at, 0).putLong(at + 8, 0).putInt(at, (int) low);
        }
    }
}
