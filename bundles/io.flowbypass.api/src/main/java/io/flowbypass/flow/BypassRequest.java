// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.flow;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;

/** A wish to bypass a flow, with who asks and why. Immutable: each {@code with} method returns a new request. */
public final class BypassRequest {
    /** The longest asker and rule, in bytes of UTF-8. */
    public static final int MAX_NAME_BYTES = 16;
    /** The longest cookie, in bytes of UTF-8. */
    public static final int MAX_COOKIE_BYTES = 32;
    /** The longest idle timeout of a flow's own. */
    public static final Duration MAX_TIMEOUT = Duration.ofDays(7);

    private final FlowKey key;
    private final Origin origin;
    private final String asker;
    private final String rule;
    private final String cookie;
    private final Duration idleTimeout;

    private BypassRequest(FlowKey key, Origin origin, String asker, String rule, String cookie, Duration idleTimeout) {
        this.key = key;
        this.origin = origin;
        this.asker = asker;
        this.rule = rule;
        this.cookie = cookie;
        this.idleTimeout = idleTimeout;
    }

    /** A request for this flow, asked by hand, with no asker, rule, cookie or timeout of its own. */
    public static BypassRequest of(FlowKey key) {
        return new BypassRequest(Objects.requireNonNull(key, "key"), Origin.MANUAL, "", "", "", Duration.ZERO);
    }

    /** The same from another kind of tool. */
    public BypassRequest withOrigin(Origin value) {
        return new BypassRequest(key, Objects.requireNonNull(value, "origin"), asker, rule, cookie, idleTimeout);
    }

    /**
     * The same with who asks.
     *
     * @throws IllegalArgumentException when longer than {@link #MAX_NAME_BYTES}
     */
    public BypassRequest withAsker(String value) {
        return new BypassRequest(key, origin, atMost(MAX_NAME_BYTES, "asker", value), rule, cookie, idleTimeout);
    }

    /**
     * The same with the rule that made the asker ask.
     *
     * @throws IllegalArgumentException when longer than {@link #MAX_NAME_BYTES}
     */
    public BypassRequest withRule(String value) {
        return new BypassRequest(key, origin, asker, atMost(MAX_NAME_BYTES, "rule", value), cookie, idleTimeout);
    }

    /**
     * The same with a text to find again in the flow's record.
     *
     * @throws IllegalArgumentException when longer than {@link #MAX_COOKIE_BYTES}
     */
    public BypassRequest withCookie(String value) {
        return new BypassRequest(key, origin, asker, rule, atMost(MAX_COOKIE_BYTES, "cookie", value), idleTimeout);
    }

    /**
     * The same with an idle timeout of the flow's own, which wins over a policy's.
     *
     * @param value 1 ms to {@link #MAX_TIMEOUT}; zero means none
     * @throws IllegalArgumentException when out of range
     */
    public BypassRequest withIdleTimeout(Duration value) {
        if (!value.isZero() && (value.toMillis() < 1 || value.compareTo(MAX_TIMEOUT) > 0)) {
            throw new IllegalArgumentException("idle timeout " + value + " is out of range: 1 ms to 7 days");
        }
        return new BypassRequest(key, origin, asker, rule, cookie, value);
    }

    private static String atMost(int bytes, String what, String value) {
        int length = Objects.requireNonNull(value, what).getBytes(StandardCharsets.UTF_8).length;
        if (length > bytes) {
            throw new IllegalArgumentException(
                    what + " \"" + value + "\" has " + length + " bytes of UTF-8, at most " + bytes + " are kept");
        }
        return value;
    }

    /** The flow; its direction is the forward direction of the record. */
    public FlowKey key() {
        return key;
    }

    /** The kind of tool that asks. */
    public Origin origin() {
        return origin;
    }

    /** Who asks, possibly empty. */
    public String asker() {
        return asker;
    }

    /** The rule that made the asker ask, possibly empty. */
    public String rule() {
        return rule;
    }

    /** The text to find again in the record, possibly empty. */
    public String cookie() {
        return cookie;
    }

    /** The flow's own idle timeout; zero means none. */
    public Duration idleTimeout() {
        return idleTimeout;
    }
}
