// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.shell.internal;

import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowState;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.flow.Origin;
import io.flowbypass.flow.Protocols;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.PriorityQueue;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Some of the flows of a table, in an order. The table is read in pages, and no more flows are kept than are to be shown and
 * those before them.
 *
 * @param order null for that of the table
 * @param limit at least 1
 */
record Selection(Predicate<FlowState> wanted, Comparator<FlowState> order, int offset, int limit) {
    /** The options that {@link #of} reads. */
    static final String USAGE = "[--sort bytes|packets|idle|age] [--protocol NAME] [--address ADDRESS] [--port N]"
            + " [--origin NAME]";
    /** The most flows that are kept. */
    static final int MOST = 10000;

    private static final int READ = 10000;
    private static final int MAX_PORT = 65535;

    /** The page, and whether there are more behind it. */
    record Page(List<FlowState> flows, boolean more) {
    }

    /**
     * Reads it.
     *
     * @param sort the order when none is asked for; null for the table's
     * @throws IllegalArgumentException naming what is no such order, protocol, address, port, origin or number
     */
    static Selection of(Arguments arguments, String sort, int limit) {
        String wantedOrder = arguments.has("--sort") ? arguments.value("--sort") : sort;
        int shown = arguments.number("--limit", 1, MOST, limit);
        int skipped = arguments.number("--offset", 0, Integer.MAX_VALUE - MOST, 0);
        if (wantedOrder != null && skipped + shown > MOST) {
            throw new IllegalArgumentException(
                    "a sorted list ends at flow " + MOST + ": leave --sort out, or narrow the list");
        }
        return new Selection(filter(arguments), wantedOrder == null ? null : order(wantedOrder), skipped, shown);
    }

    private static Comparator<FlowState> order(String name) {
        return switch (name) {
            case "bytes" -> Comparator.comparingLong(FlowState::bytes).reversed();
            case "packets" -> Comparator.comparingLong(FlowState::packets).reversed();
            case "idle" -> Comparator.comparing(FlowState::lastSeen);
            case "age" -> Comparator.comparing(FlowState::firstSeen);
            default -> throw new IllegalArgumentException(
                    "--sort \"" + name + "\" is not known: write bytes, packets, idle or age");
        };
    }

    private static Predicate<FlowState> filter(Arguments arguments) {
        Predicate<FlowState> all = flow -> true;
        if (arguments.has("--protocol")) {
            int protocol = Protocols.parse(arguments.value("--protocol"));
            all = all.and(flow -> flow.key().protocol() == protocol);
        }
        if (arguments.has("--address")) {
            FlowKey address = FlowKey.of(0, arguments.value("--address"), 0, arguments.value("--address"), 0);
            all = all.and(flow -> flow.key().isIpv6() == address.isIpv6() && (isSource(flow.key(), address)
                    || isSource(flow.key().reversed(), address)));
        }
        if (arguments.has("--port")) {
            int port = arguments.number("--port", 0, MAX_PORT, 0);
            all = all.and(flow -> flow.key().sourcePort() == port || flow.key().destinationPort() == port);
        }
        if (arguments.has("--origin")) {
            Origin origin = origin(arguments.value("--origin"));
            all = all.and(flow -> flow.origin() == origin);
        }
        return all;
    }

    private static boolean isSource(FlowKey key, FlowKey address) {
        return key.sourceHigh() == address.sourceHigh() && key.sourceLow() == address.sourceLow();
    }

    private static Origin origin(String name) {
        return Arrays.stream(Origin.values()).filter(origin -> origin.name().equalsIgnoreCase(name)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("origin \"" + name + "\" is not known: write "
                        + Arrays.stream(Origin.values()).map(origin -> origin.name().toLowerCase(Locale.ROOT))
                                .collect(Collectors.joining(", "))));
    }

    /** Reads the table. */
    Page from(FlowTable table) {
        return order == null ? inTheTablesOrder(table) : sorted(table);
    }

    private Page inTheTablesOrder(FlowTable table) {
        List<FlowState> flows = new ArrayList<>();
        int skip = offset;
        for (int read = 0;; read += READ) {
            List<FlowState> some = table.list(read, READ);
            for (FlowState flow : some) {
                if (!wanted.test(flow) || skip-- > 0) {
                    continue;
                }
                if (flows.size() == limit) {
                    return new Page(flows, true);
                }
                flows.add(flow);
            }
            if (some.size() < READ) {
                return new Page(flows, false);
            }
        }
    }

    private Page sorted(FlowTable table) {
        int kept = offset + limit;
        boolean more = false;
        PriorityQueue<FlowState> best = new PriorityQueue<>(order.reversed());
        for (int read = 0;; read += READ) {
            List<FlowState> some = table.list(read, READ);
            for (FlowState flow : some) {
                if (!wanted.test(flow)) {
                    continue;
                }
                if (best.size() < kept) {
                    best.add(flow);
                    continue;
                }
                more = true;
                if (order.compare(flow, best.peek()) < 0) {
                    best.poll();
                    best.add(flow);
                }
            }
            if (some.size() < READ) {
                return new Page(best.stream().sorted(order).skip(offset).toList(), more);
            }
        }
    }
}
