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

    /** The highest number of a redirect port. */
    public static final int MAX_REDIRECT_PORT = 15;

    private final FlowKey key;
    private final Origin origin;
    private final String asker;
    private final String rule;
    private final String cookie;
    private final Duration idleTimeout;
    private final Cut cut;

    /**
     * How it is cut.
     *
     * @param passControl null: as is usual for the origin
     */
    private record Cut(CutAction action, int redirectPort, boolean hostPair, Boolean passControl) {
        static final Cut USUAL = new Cut(CutAction.DROP, 0, false, null);
    }

    private BypassRequest(FlowKey key, Origin origin, String asker, String rule, String cookie, Duration idleTimeout,
            Cut cut) {
        this.key = key;
        this.origin = origin;
        this.asker = asker;
        this.rule = rule;
        this.cookie = cookie;
        this.idleTimeout = idleTimeout;
        this.cut = cut;
    }

    /** A request to drop this flow, asked by hand, with no asker, rule, cookie or timeout of its own. */
    public static BypassRequest of(FlowKey key) {
        return new BypassRequest(Objects.requireNonNull(key, "key"), Origin.MANUAL, "", "", "", Duration.ZERO, Cut.USUAL);
    }

    /** The same from another kind of tool. */
    public BypassRequest withOrigin(Origin value) {
        return new BypassRequest(key, Objects.requireNonNull(value, "origin"), asker, rule, cookie, idleTimeout, cut);
    }

    /**
     * The same with who asks.
     *
     * @throws IllegalArgumentException when longer than {@link #MAX_NAME_BYTES}, or with a control character in it
     */
    public BypassRequest withAsker(String value) {
        return new BypassRequest(key, origin, atMost(MAX_NAME_BYTES, "asker", value), rule, cookie, idleTimeout, cut);
    }

    /**
     * The same with the rule that made the asker ask.
     *
     * @throws IllegalArgumentException when longer than {@link #MAX_NAME_BYTES}, or with a control character in it
     */
    public BypassRequest withRule(String value) {
        return new BypassRequest(key, origin, asker, atMost(MAX_NAME_BYTES, "rule", value), cookie, idleTimeout, cut);
    }

    /**
     * The same with a text to find again in the flow's record.
     *
     * @throws IllegalArgumentException when longer than {@link #MAX_COOKIE_BYTES}, or with a control character in it
     */
    public BypassRequest withCookie(String value) {
        return new BypassRequest(key, origin, asker, rule, atMost(MAX_COOKIE_BYTES, "cookie", value), idleTimeout, cut);
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
        return new BypassRequest(key, origin, asker, rule, cookie, value, cut);
    }

    /**
     * The same with packets that are dropped, or passed after all.
     *
     * @throws IllegalArgumentException for {@link CutAction#REDIRECT}, which needs a port
     */
    public BypassRequest withAction(CutAction value) {
        if (Objects.requireNonNull(value, "action") == CutAction.REDIRECT) {
            throw new IllegalArgumentException("a redirect needs a port to redirect to: use withRedirect");
        }
        return with(new Cut(value, 0, cut.hostPair, cut.passControl));
    }

    /**
     * The same with packets that are redirected.
     *
     * @param port the number of a target in the configuration, 0 to {@link #MAX_REDIRECT_PORT}
     * @throws IllegalArgumentException when out of range
     */
    public BypassRequest withRedirect(int port) {
        if (port < 0 || port > MAX_REDIRECT_PORT) {
            throw new IllegalArgumentException("redirect port " + port + " is out of range: 0 to " + MAX_REDIRECT_PORT);
        }
        return with(new Cut(CutAction.REDIRECT, port, cut.hostPair, cut.passControl));
    }

    /**
     * The same as a cut between two hosts: of a protocol without ports (ICMP, GRE, ESP, ...), all of it between the two
     * addresses. Without this such a protocol is refused.
     */
    public BypassRequest withHostPair() {
        return with(new Cut(cut.action, cut.redirectPort, true, cut.passControl));
    }

    /**
     * The same with or without FIN and RST being passed to the monitor, the first 16 of each direction. Usual is to pass
     * them, but not for {@link Origin#SURICATA}, whose stream engine would take them for another flow's, and
     * {@link Origin#OTHER}.
     */
    public BypassRequest withPassControl(boolean value) {
        return with(new Cut(cut.action, cut.redirectPort, cut.hostPair, value));
    }

    private BypassRequest with(Cut value) {
        return new BypassRequest(key, origin, asker, rule, cookie, idleTimeout, value);
    }

    private static String atMost(int bytes, String what, String value) {
        int length = Objects.requireNonNull(value, what).getBytes(StandardCharsets.UTF_8).length;
        int control = value.chars().filter(Character::isISOControl).findFirst().orElse(-1);
        if (control >= 0) {
            throw new IllegalArgumentException(
                    "%s has the control character U+%04X, which a terminal might obey: leave it out".formatted(what, control));
        }
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

    /** What happens to its packets. */
    public CutAction action() {
        return cut.action;
    }

    /** The port to redirect to, 0 to {@link #MAX_REDIRECT_PORT}; 0 for other actions. */
    public int redirectPort() {
        return cut.redirectPort;
    }

    /** Whether a protocol without ports may be cut between two hosts. */
    public boolean hostPair() {
        return cut.hostPair;
    }

    /** Whether FIN and RST are passed to the monitor. */
    public boolean passControl() {
        return cut.passControl != null ? cut.passControl : origin != Origin.SURICATA && origin != Origin.OTHER;
    }
}
