// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.itests.lab;

import java.nio.ByteBuffer;
import java.util.Random;

/** Packets of all kinds, half of them damaged; the same for the same seed. */
public final class RandomPackets {
    private static final int[] PROTOCOLS = {6, 6, 17, 17, 136, 132, 33, 1, 47, 58, 59};
    /** Errors of ICMP and of ICMPv6, echoes, neighbour discovery, and what lies beside them. */
    private static final int[] ICMP_TYPES = {0, 3, 4, 5, 8, 11, 12, 13, 35, 127, 128, 129, 132, 133, 135, 137, 138, 255};
    private static final int[] EXTENSIONS = {0, 43, 60, 135, 51, 44};
    private static final int[] ETHERTYPES = {0x0800, 0x0800, 0x86dd, 0x86dd, 0x86dd, 0x0806};
    private static final int LEAST_FRAME = 14;

    private final Random random;
    private final ByteBuffer frame = ByteBuffer.allocate(4096);

    /** A sequence of them. */
    public RandomPackets(long seed) {
        random = new Random(seed);
    }

    /** The next one, an Ethernet frame of at least 14 bytes. */
    public byte[] next() {
        frame.clear();
        int type = ETHERTYPES[random.nextInt(ETHERTYPES.length)];
        bytes(12);
        int tags = random.nextInt(4) == 0 ? random.nextInt(11) : 0;
        for (int tag = 0; tag < tags; tag++) {
            frame.putShort((short) (random.nextBoolean() ? 0x8100 : 0x88a8));
            bytes(2);
        }
        frame.putShort((short) type);
        if (type == 0x0800) {
            ipv4();
        } else if (type == 0x86dd) {
            ipv6();
        } else {
            bytes(random.nextInt(40));
        }
        // Ethernet pads short frames.
        bytes(random.nextInt(4) == 0 ? random.nextInt(20) : 0);
        byte[] packet = new byte[Math.max(LEAST_FRAME, frame.position())];
        frame.get(0, packet, 0, Math.min(packet.length, frame.position()));
        return random.nextBoolean() ? packet : damaged(packet);
    }

    private byte[] damaged(byte[] packet) {
        for (int i = random.nextInt(3); i >= 0; i--) {
            int at = 12 + random.nextInt(packet.length - 12);
            switch (random.nextInt(4)) {
                case 0 -> packet[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> packet[at] = (byte) random.nextInt(256);
                case 2 -> packet[at] += (byte) (random.nextInt(5) - 2);
                default -> {
                    byte[] shorter = new byte[Math.max(LEAST_FRAME, at)];
                    System.arraycopy(packet, 0, shorter, 0, Math.min(packet.length, shorter.length));
                    packet = shorter;
                }
            }
        }
        return packet;
    }

    private void ipv4() {
        int at = frame.position();
        int words = 5 + (random.nextInt(3) == 0 ? random.nextInt(11) : 0);
        int protocol = PROTOCOLS[random.nextInt(PROTOCOLS.length)];
        frame.put((byte) (0x40 | words)).put((byte) 0).putShort((short) 0).putShort((short) 7);
        frame.putShort((short) (random.nextInt(8) == 0 ? random.nextInt(0x10000) : random.nextInt(2) * 0x4000));
        frame.put((byte) 64).put((byte) protocol).putShort((short) 0);
        bytes(8 + (words - 5) * 4);
        transport(protocol);
        frame.putShort(at + 2, (short) (frame.position() - at));
    }

    private void ipv6() {
        int at = frame.position();
        int protocol = PROTOCOLS[random.nextInt(PROTOCOLS.length)];
        frame.putInt(0x60000000).putShort((short) 0);
        int nextAt = frame.position();
        frame.putShort((short) 64);
        bytes(32);
        for (int extensions = random.nextInt(3) == 0 ? random.nextInt(11) : random.nextInt(2); extensions > 0; extensions--) {
            int type = EXTENSIONS[random.nextInt(EXTENSIONS.length)];
            frame.put(nextAt, (byte) type);
            nextAt = frame.position();
            int length = random.nextInt(3);
            frame.put((byte) 0).put((byte) (type == 44 ? 0 : type == 51 ? length * 2 : length));
            if (type == 44) {
                frame.putShort((short) (random.nextInt(6) == 0 ? random.nextInt(0x10000) : 0));
                bytes(4);
            } else {
                bytes(6 + 8 * length);
            }
        }
        frame.put(nextAt, (byte) protocol);
        transport(protocol);
        frame.putShort(at + 4, (short) (frame.position() - at - 40));
    }

    private void transport(int protocol) {
        int at = frame.position();
        if (protocol == 1 || protocol == 58) {
            frame.put((byte) ICMP_TYPES[random.nextInt(ICMP_TYPES.length)]);
            bytes(3);
        } else {
            bytes(4);
        }
        switch (protocol) {
            case 6 -> {
                bytes(8);
                int words = 5 + random.nextInt(3);
                frame.put((byte) (words << 4));
                bytes(7 + (words - 5) * 4);
            }
            case 17, 136 -> bytes(4);
            case 132 -> bytes(8);
            case 33 -> {
                boolean longSequence = random.nextBoolean();
                frame.put((byte) (longSequence ? 4 : 3));
                bytes(3);
                frame.put((byte) (random.nextInt(16) << 1 | (longSequence ? 1 : 0)));
                bytes(longSequence ? 7 : 3);
            }
            default -> bytes(random.nextInt(8));
        }
        bytes(random.nextInt(20));
        if (protocol == 17) {
            frame.putShort(at + 4, (short) (frame.position() - at));
        } else if (protocol == 136) {
            frame.putShort(at + 4, (short) (random.nextBoolean() ? 8 : random.nextInt(12)));
        }
    }

    private void bytes(int count) {
        for (int i = 0; i < count; i++) {
            frame.put((byte) random.nextInt(256));
        }
    }
}
