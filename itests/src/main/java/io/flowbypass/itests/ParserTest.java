// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.flowbypass.itests.lab.RandomPackets;
import io.flowbypass.itests.lab.ReferenceParser;
import io.flowbypass.itests.lab.ReferenceParser.Kind;
import io.flowbypass.itests.lab.Root;
import io.flowbypass.itests.lab.Services;
import io.flowbypass.libbpf.Bpf;
import io.flowbypass.libbpf.BpfObject;
import io.flowbypass.maps.BpfMap;
import io.flowbypass.maps.Gate;
import io.flowbypass.maps.MapService;
import io.flowbypass.maps.Mapping;
import io.flowbypass.xdp.Verdict;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The data plane's parser, in the kernel, makes of every packet what one in Java makes of it that was written from the RFCs. */
class ParserTest {
    private static final long PACKETS = Long.parseLong(System.getenv().getOrDefault("FLOWBYPASS_PACKETS", "1000000"));

    /** Offsets of {@code struct parsed}. */
    private static final int ADDR = 0;
    private static final int PORTS = 32;
    private static final int PROTO = 40;
    private static final int VERDICT = 44;
    private static final int DIRECTION = 48;
    private static final int TCP_FLAGS = 52;
    private static final int VLANS = 56;
    private static final int FB_PARSED = -1;

    private BpfObject object;
    private BpfMap map;
    private Gate gate;
    private Mapping parsed;
    private int program;

    @BeforeEach
    void load() throws Exception {
        Root.required();
        try (InputStream file = ParserTest.class.getResourceAsStream("/parse.bpf.o")) {
            object = BpfObject.open("parse.bpf.o", file.readAllBytes());
        }
        object.load();
        program = object.programDescriptor("parse");
        MapService maps = Services.waitFor(MapService.class);
        map = maps.open(Bpf.describeMap(object.mapDescriptor("parsed")).id());
        gate = maps.newGate();
        parsed = map.map(gate);
        assertThat(gate.enter()).isTrue();
    }

    @AfterEach
    void unload() {
        if (gate != null) {
            gate.exit();
            gate.close();
            map.close();
        }
        if (object != null) {
            object.close();
        }
    }

    @Test
    void bothParsersAgreeOnAMillionRandomPackets() {
        long seed = new Random().nextLong();
        RandomPackets packets = new RandomPackets(seed);
        Map<Kind, Long> kinds = new EnumMap<>(Kind.class);
        for (long i = 0; i < PACKETS; i++) {
            byte[] packet = packets.next();
            if (disagree(packet)) {
                byte[] least = least(packet);
                throw new AssertionError("with the seed " + seed + ", packet " + i + ": the program says " + inKernel(least)
                        + " and the reference " + inJava(least) + " of " + HexFormat.of().formatHex(least));
            }
            kinds.merge(ReferenceParser.of(packet).kind(), 1L, Long::sum);
        }
        assertThat(kinds).as("kinds of packets with the seed %s", seed).containsOnlyKeys(Kind.values())
                .allSatisfy((kind, count) -> assertThat(count).isGreaterThan(PACKETS / 100));
    }

    private boolean disagree(byte[] packet) {
        return !inKernel(packet).equals(inJava(packet));
    }

    /** The same disagreement with as little in the packet as possible. */
    private byte[] least(byte[] packet) {
        byte[] least = packet;
        for (int length = packet.length - 1; length >= 14; length--) {
            byte[] shorter = Arrays.copyOf(least, length);
            least = disagree(shorter) ? shorter : least;
        }
        for (int at = 0; at < least.length; at++) {
            byte[] plainer = least.clone();
            plainer[at] = 0;
            least = disagree(plainer) ? plainer : least;
        }
        return least;
    }

    private String inKernel(byte[] packet) {
        Bpf.testRun(program, packet, 1);
        int verdict = parsed.getIntVolatile(VERDICT);
        if (verdict != FB_PARSED) {
            return Verdict.values()[verdict].name();
        }
        byte[] key = new byte[PORTS];
        parsed.get(ADDR, key);
        return text(parsed.getInt(PROTO), key, parsed.getLong(PORTS), parsed.getInt(DIRECTION), parsed.getInt(TCP_FLAGS),
                parsed.getInt(VLANS));
    }

    private static String inJava(byte[] packet) {
        ReferenceParser reference = ReferenceParser.of(packet);
        if (reference.kind() != Kind.FLOW) {
            return "PASSED_" + reference.kind();
        }
        boolean forward = reference.isForward();
        byte[] smaller = forward ? reference.source() : reference.destination();
        byte[] larger = forward ? reference.destination() : reference.source();
        int smallerPort = forward ? reference.sourcePort() : reference.destinationPort();
        int largerPort = forward ? reference.destinationPort() : reference.sourcePort();
        byte[] key = ByteBuffer.allocate(PORTS).put(smaller).put(larger).array();
        // In the key both ports are in network byte order.
        long ports = Short.toUnsignedLong(Short.reverseBytes((short) smallerPort))
                | Short.toUnsignedLong(Short.reverseBytes((short) largerPort)) << 16;
        return text(reference.protocol() | (smaller.length == 4 ? 4 : 6) << 8, key, ports, forward ? 0 : 1,
                reference.tcpFlags(), reference.outerVlan() | reference.innerVlan() << 16);
    }

    private static String text(int proto, byte[] key, long ports, int direction, int tcpFlags,
            int vlans) {
        return "protocol " + proto + " key " + HexFormat.of().formatHex(key) + " ports " + Long.toHexString(ports)
                + " direction " + direction + " flags " + tcpFlags + " VLANs " + Integer.toHexString(vlans);
    }
}
