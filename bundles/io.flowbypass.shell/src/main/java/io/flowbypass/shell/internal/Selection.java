// SPDX-License-Identifier: Apache-2.0
package io.flowbypass.shell.internal;

import io.flowbypass.flow.Decision;
import io.flowbypass.flow.Direction;
import io.flowbypass.flow.EndReason;
import io.flowbypass.flow.FlowKey;
import io.flowbypass.flow.FlowState;
import io.flowbypass.flow.FlowSweeper;
import io.flowbypass.flow.FlowTable;
import io.flowbypass.flow.FlowTest;
import io.flowbypass.flow.FlowView;
import io.flowbypass.flow.Origin;
import io.flowbypass.flow.Protocols;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.PriorityQueue;
import java.util.function.BiPredicate;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;

/**
 * Some of the flows of a table, in an order. The table is read once, by a comparison, which changes nothing and for which
 * nobody waits; no more keys are kept than those of the flows that are to be shown and of those before them. The flows to
 * show are then asked for one by one: one that ended meanwhile is left out, and counts may be newer than the order.
 *
 * @param measure the flows of which this is largest come first; null for the table's order
 * @param limit at least 1
 */
record Selection(BiPredicate<FlowTable, FlowView> wanted, ToLongFunction<FlowView> measure, int offset, int limit) {
    /** The options that {@link #of} reads. */
    static final String USAGE = "[--sort bytes|packets|idle|age] [--protocol NAME] [--address ADDRESS] [--port N]"
            + " [--origin NAME]";
    /** The most flows that are kept. */
    static final int MOST = 10000;

    private static final int MAX_PORT = 65535;
    private static final FlowTest KEEP = flow -> Decision.KEEP;
    /** A difference, of which the comparison is to find one. */
    private static final Decision ENOUGH = Decision.end(EndReason.RELEASED, "");

    /**
     * A flow and its place.
     *
     * @param number rises in the order of the table, and decides among equals
     */
    private record Found(long measure, int number, FlowKey key) {
        static final Comparator<Found> ORDER =
                Comparator.comparingLong(Found::measure).reversed().thenComparingInt(Found::number);
    }

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
        return new Selection(filter(arguments), wantedOrder == null ? null : measure(wantedOrder), skipped, shown);
    }

    private static ToLongFunction<FlowView> measure(String order) {
        return switch (order) {
            case "bytes" -> flow -> flow.bytes(Direction.FORWARD) + flow.bytes(Direction.REVERSE);
            case "packets" -> flow -> flow.packets(Direction.FORWARD) + flow.packets(Direction.REVERSE);
            case "idle" -> FlowView::idleNanos;
            case "age" -> FlowView::ageNanos;
            default -> throw new IllegalArgumentException(
                    "--sort \"" + order + "\" is not known: write bytes, packets, idle or age");
        };
    }

    private static BiPredicate<FlowTable, FlowView> filter(Arguments arguments) {
        BiPredicate<FlowTable, FlowView> all = (table, flow) -> true;
        if (arguments.has("--protocol")) {
            int protocol = Protocols.parse(arguments.value("--protocol"));
            all = all.and((table, flow) -> flow.protocol() == protocol);
        }
        if (arguments.has("--address")) {
            FlowKey address = FlowKey.of(0, arguments.value("--address"), 0, arguments.value("--address"), 0);
            all = all.and((table, flow) -> hasAddress(flow.key(), address));
        }
        if (arguments.has("--port")) {
            int port = arguments.number("--port", 0, MAX_PORT, 0);
            all = all.and((table, flow) -> hasPort(flow.key(), port));
        }
        if (arguments.has("--origin")) {
            Origin origin = origin(arguments.value("--origin"));
            // What a comparison shows does not say.
            all = all.and((table, flow) -> table.find(flow.key()).filter(found -> found.origin() == origin).isPresent());
        }
        return all;
    }

    private static boolean hasAddress(FlowKey key, FlowKey address) {
        return key.isIpv6() == address.isIpv6() && (isSource(key, address) || isSource(key.reversed(), address));
    }

    private static boolean hasPort(FlowKey key, int port) {
        return key.sourcePort() == port || key.destinationPort() == port;
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

    /**
     * Reads the table.
     *
     * @throws IllegalStateException when it does not show its flows
     */
    Page from(FlowTable table) {
        if (!(table instanceof FlowSweeper flows)) {
            throw new IllegalStateException("the flow table does not show its flows: it is no FlowSweeper");
        }
        Reader reader = new Reader(table);
        flows.compare(KEEP, reader, 1);
        return new Page(reader.keys().stream().flatMap(key -> table.find(key).stream()).toList(), reader.more);
    }

    /** Chooses while the table is read. */
    private final class Reader implements FlowTest {
        private final FlowTable table;
        private final List<FlowKey> inTheTablesOrder = new ArrayList<>();
        private final PriorityQueue<Found> lastFirst = new PriorityQueue<>(Found.ORDER.reversed());
        private int skip = offset;
        private int number;
        private boolean more;

        Reader(FlowTable table) {
            this.table = table;
        }

        @Override
        public Decision decide(FlowView flow) {
            if (measure != null) {
                sort(flow);
                return Decision.KEEP;
            }
            if (!wanted.test(table, flow) || skip-- > 0) {
                return Decision.KEEP;
            }
            if (inTheTablesOrder.size() == limit) {
                more = true;
                return ENOUGH;
            }
            inTheTablesOrder.add(flow.key());
            return Decision.KEEP;
        }

        private void sort(FlowView flow) {
            long size = measure.applyAsLong(flow);
            boolean isFull = lastFirst.size() == offset + limit;
            boolean isBehind = isFull && size <= lastFirst.element().measure;
            // Who is behind matters only as long as nobody is known to be.
            if (isBehind && more || !wanted.test(table, flow)) {
                return;
            }
            more |= isFull;
            if (isBehind) {
                return;
            }
            if (isFull) {
                lastFirst.remove();
            }
            lastFirst.add(new Found(size, number++, flow.key()));
        }

        List<FlowKey> keys() {
            return measure == null ? inTheTablesOrder
                    : lastFirst.stream().sorted(Found.ORDER).skip(offset).map(Found::key).toList();
        }
    }
}
