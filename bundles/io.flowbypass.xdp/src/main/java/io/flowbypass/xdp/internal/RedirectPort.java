// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.xdp.internal;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where packets may be redirected to.
 *
 * @param number 0 to 15
 * @param interfaceName the interface that they leave by
 * @param destination the MAC address that they get, its first byte the lowest one; 0 when they keep theirs
 */
record RedirectPort(int number, String interfaceName, long destination) {
    /** {@code FB_PORTS}. */
    static final int COUNT = 16;

    private static final Pattern ENTRY =
            Pattern.compile("(\\d{1,2})\\s*=\\s*([^\\s/,=]{1,15})(?:/((?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}))?");
    private static final int MAC_BYTES = 6;
    private static final int HEXADECIMAL = 16;

    /**
     * Reads a list such as {@code 0 = eth2, 1 = eth3/02:00:00:00:00:01}.
     *
     * @throws IllegalArgumentException when it is another text
     */
    static List<RedirectPort> list(String text) {
        List<RedirectPort> all = Arrays.stream(text.split(",")).map(String::strip).filter(entry -> !entry.isEmpty())
                .map(RedirectPort::of).toList();
        Set<Integer> numbers = new HashSet<>();
        for (RedirectPort port : all) {
            if (!numbers.add(port.number)) {
                throw new IllegalArgumentException("redirect.ports names the port " + port.number + " twice");
            }
        }
        return all;
    }

    private static RedirectPort of(String text) {
        Matcher entry = ENTRY.matcher(text);
        if (!entry.matches() || Integer.parseInt(entry.group(1)) >= COUNT) {
            throw new IllegalArgumentException("redirect.ports has \"" + text + "\": write a number from 0 to "
                    + (COUNT - 1) + ", = and an interface, such as 0 = eth2, and the MAC address that packets are to get"
                    + " behind a slash, such as 1 = eth3/02:00:00:00:00:01");
        }
        return new RedirectPort(Integer.parseInt(entry.group(1)), entry.group(2),
                entry.group(3) == null ? 0 : address(entry.group(3)));
    }

    private static long address(String text) {
        String[] bytes = text.split(":");
        long address = 0;
        for (int i = MAC_BYTES - 1; i >= 0; i--) {
            address = address << Byte.SIZE | Integer.parseInt(bytes[i], HEXADECIMAL);
        }
        return address;
    }
}
