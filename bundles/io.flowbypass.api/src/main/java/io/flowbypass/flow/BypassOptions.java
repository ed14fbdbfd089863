// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** The words that say how a flow is bypassed: {@code redirect=1 hostPair passControl=false vlan=100,200}. Immutable. */
public final class BypassOptions {
    private static final String VLAN = "vlan";
    private static final Set<String> FLAGS = Set.of("drop", "count", "hostPair");
    private static final Set<String> VALUES = Set.of("redirect", "passControl", VLAN);
    private static final int NUMBER_DIGITS = 9;

    private final Map<String, String> words = new LinkedHashMap<>();

    private BypassOptions(String text) {
        for (String word : Objects.requireNonNull(text, "options").strip().split("\\s+")) {
            String[] parts = word.split("=", 2);
            if (word.isEmpty()) {
                continue;
            }
            if (parts.length == 1 ? !FLAGS.contains(parts[0]) : !VALUES.contains(parts[0])) {
                throw new IllegalArgumentException("option \"" + word + "\" is not known: write drop, count,"
                        + " redirect=NUMBER, hostPair, passControl=true or false, vlan=OUTER or vlan=OUTER,INNER");
            }
            if (words.put(parts[0], parts.length == 1 ? "" : parts[1]) != null) {
                throw new IllegalArgumentException("option " + parts[0] + " is given twice");
            }
        }
        if (Set.of("drop", "count", "redirect").stream().filter(words::containsKey).count() > 1) {
            throw new IllegalArgumentException("options \"" + text.strip() + "\" name more than one of drop, count and"
                    + " redirect");
        }
    }

    /**
     * Reads options.
     *
     * @throws IllegalArgumentException naming the one that is none
     */
    public static BypassOptions of(String text) {
        return new BypassOptions(text);
    }

    /**
     * Reads options of which only VLAN ids make sense.
     *
     * @throws IllegalArgumentException naming the one that is none
     */
    public static BypassOptions ofKey(String text) {
        BypassOptions options = new BypassOptions(text);
        if (!Set.of(VLAN).containsAll(options.words.keySet())) {
            throw new IllegalArgumentException("options \"" + text.strip() + "\" are not for this: only vlan is");
        }
        return options;
    }

    /**
     * The key with the VLAN ids.
     *
     * @throws IllegalArgumentException when one is out of range
     */
    public FlowKey key(FlowKey key) {
        String vlan = words.get(VLAN);
        if (vlan == null) {
            return key;
        }
        String[] ids = vlan.split(",", 2);
        return key.withVlans(number(VLAN, ids[0]), ids.length == 1 ? 0 : number(VLAN, ids[1]));
    }

    /**
     * A request for the flow with that key.
     *
     * @throws IllegalArgumentException when a value is out of range
     */
    public BypassRequest request(FlowKey key) {
        BypassRequest request = BypassRequest.of(key(key));
        if (words.containsKey("count")) {
            request = request.withAction(CutAction.COUNT);
        }
        if (words.containsKey("redirect")) {
            request = request.withRedirect(number("redirect", words.get("redirect")));
        }
        if (words.containsKey("hostPair")) {
            request = request.withHostPair();
        }
        String passControl = words.get("passControl");
        if (passControl != null) {
            if (!passControl.equals("true") && !passControl.equals("false")) {
                throw new IllegalArgumentException("passControl=" + passControl + ": it is true or false");
            }
            request = request.withPassControl(Boolean.parseBoolean(passControl));
        }
        return request;
    }

    private static int number(String option, String text) {
        if (!text.matches("\\d{1," + NUMBER_DIGITS + "}")) {
            throw new IllegalArgumentException(option + " \"" + text + "\" is not a number");
        }
        return Integer.parseInt(text);
    }
}
